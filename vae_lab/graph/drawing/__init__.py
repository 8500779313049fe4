"""Make the picture of a recording: choose its nodes and edges, lay them out, write SVG, DOT and sentences.

Nothing here decides what is random or where a gradient ends; it shows what the other two rooms found out.
May import: `gradient`, `recording`.
"""
