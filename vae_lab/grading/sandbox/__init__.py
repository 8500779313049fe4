"""The walls, and nothing else: bubblewrap outside; namespaces, limits, rights and the call filter put on from inside.

`bubblewrap` runs in a trusted process and starts `student`, by its name and never by import; the rest runs inside.
May import `limits`: the walls know no lab.
"""
