"""What the labs' checks measure with: limits of chance, closed forms and their wrong twins, models that keep notes.

No lab's notebook calls anything here; the modules above it do, on a student's computer and in the judge.
May import: `messages`, and nothing above this room.
"""
