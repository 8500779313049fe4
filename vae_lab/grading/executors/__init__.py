"""Where jobs run: processes of this machine.

Runs in the instructor's command, and starts workers that run what they are handed.
Imports nothing of grading: it knows neither labs nor students.
"""
