"""Making and testing a lab: its bank of answers, `verify`, made-up classes, and a student's own `check`.

Runs in an author's or a student's command; `run_notebook` runs code without a sandbox, for one's own machine only.
May import `judge`, `executors`, `lab`, `course`, `stand_ins`, and the package's `checks` and `language`.
"""
