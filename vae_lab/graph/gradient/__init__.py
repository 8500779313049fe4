"""Send a gradient back through a recording: what arrives at each value, and on which edge it ends, and why.

Everything is measured, with autograd's own nodes or one operation computed again; no `.grad` and no hook is touched.
May import: `recording`.
"""
