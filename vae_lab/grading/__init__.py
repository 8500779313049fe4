"""The instructor's side, in rooms: a folder says in which process its files run and whom they may trust.

README.md beside this file has the picture of the processes and the table of who may import whom; a test holds it. The
teaching modules never import anything of it.
"""
