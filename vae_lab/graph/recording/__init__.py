"""Watch a computation while it runs, and keep what happened: values, operations, and the lines that called them.

Nothing here computes, measures or draws; results and random numbers are those of the code without a recording.
May import: nothing else of the package.
"""
