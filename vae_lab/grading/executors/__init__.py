"""Where jobs run, behind one interface: processes of this machine, machines that talk, a share of a class.

Runs in the instructor's command, and starts workers that run what they are handed.
Imports nothing of grading: it knows neither labs nor students.
"""
