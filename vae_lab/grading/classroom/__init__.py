"""Many submissions: what is due, what has been graded, the one writer, the gradebook.

Runs in the instructor's command; trusted: no student's code ever runs here.
May import `judge`, `executors`, `pages`, `lab`, `results`, `marks`, `course`, `limits`, and the package's `language`.
"""
