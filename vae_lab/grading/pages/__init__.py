"""What people look at: feedback, report, graded notebook, CSV, and the sanitizer that they all use.

Runs in the instructor's command; trusted, and shows what strangers wrote.
May import `lab`, `results`, `marks` and `course`, and the package's `language`.
"""
