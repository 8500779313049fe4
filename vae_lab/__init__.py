"""The teaching package of the course about one line of code, `z = mu + sigma * eps`.

Read it in this order: sampling, estimators, elbo, data, models, evaluation, training, generation.

Importing it loads none of them, nor torch: a name comes with its module when it is first asked for (PEP 562; Scientific
Python's SPEC 1). The names stand in `__init__.pyi`, once, for type checkers and for this file.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
