"""Canvas and Moodle, in and out, and starting a course.

Runs in the instructor's command; trusted, though every name and zip it reads is a stranger's.
May import `classroom`, `lab`, `course` and `marks`, and the package's `language`.
"""
