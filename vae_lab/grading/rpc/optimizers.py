"""Importing this module loads what torch loads with a first optimizer, or a first use of `torch.func`: over a second.

A warm process imports it for a lab that may need it, so that no fork has to. Other labs start that much sooner.
"""

import torch

torch.optim.Adam([torch.zeros(1, requires_grad=True)])
