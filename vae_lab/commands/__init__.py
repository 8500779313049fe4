"""What `vae-lab` can do, one module for each audience: student, instructor, author.

Each adds its commands' arguments and has the functions that run them; `vae_lab.cli` puts them together. A function
imports what it needs when it runs, so that a command pays for nothing it does not use.
"""
