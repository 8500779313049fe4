"""An instructor's lab: its source, its cells, and the version that students get.

Trusted, in every process that needs to know a lab; it never reads what a student wrote.
May import `course`, and the package's `language`.
"""
