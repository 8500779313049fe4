"""The course in other languages: English sources, gettext catalogues, and what holds the two together."""
