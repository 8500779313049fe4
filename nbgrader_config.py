"""Where nbgrader's own tools (formgrader, db, generate_feedback) find this course."""

c = get_config()  # noqa: F821  (nbgrader defines it)

c.CourseDirectory.source_directory = "solutions"  # one source for both tools
c.CourseDirectory.release_directory = "release"  # labs/ is written by `vae-lab release` alone
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"

# Students' Markdown may hold HTML. `vae-lab grade` already takes the active parts out; this is the second lock.
c.HTMLExporter.sanitize_html = True
