"""The boundary itself: frames, values, handles, proxies, exceptions and gradients between the two sides.

Runs in both, the same code: in a judge's process, where nothing that comes in is believed, and in a student's.
May import `checks`, and nothing of grading.
"""
