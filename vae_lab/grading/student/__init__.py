"""What runs inside the walls: the warm process that forks, and the shell that runs a student's cells.

**Untrusted**: a student's code may change anything in these processes, and nothing here decides or protects.
May import `rpc`, and of `sandbox` the walls that are put on from inside.
"""
