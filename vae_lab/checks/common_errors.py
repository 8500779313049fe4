"""A catalogue of the exceptions that answers to these labs raise most, with one plain sentence for each.

Torch says what went wrong in its own words, and sometimes advises what leads into the next mistake (to detach a tensor,
for `numpy()`). The sentence stands beside torch's, never in its place. It names nothing that the text does not show.
"""

from __future__ import annotations

import re

CATALOGUE: tuple[tuple[str, str], ...] = (
    # what is matched: the exception's type, its text, and after a line break the student's line, if it is known
    (
        r"^NotImplementedError: .*bitwise_xor|^TypeError: unsupported operand type\(s\) for \^",
        "`^` is xor in Python; a power is `**`, or torch.square.",
    ),
    (
        r'^NotImplementedError: .*missing the required "forward"',
        "torch calls the method `forward`: is it spelt like this, and does it stand inside the class, indented like "
        "the other methods?",
    ),
    (
        r"^RuntimeError: Can't call numpy\(\) on Tensor that requires grad",
        "stay in torch: torch.exp, torch.sqrt and so on do what NumPy's functions do and keep the gradient. detach() "
        "would silence this error and cut the graph.",
    ),
    (
        r"^TypeError: can't convert .* device type tensor to numpy",
        "stay in torch: NumPy knows neither GPUs nor gradients.",
    ),
    (
        r"^\w+: (only one element tensors can be converted|a Tensor with \d+ elements cannot be converted to Scalar)"
        r"(?=[^\n]*\n.*\b(?:math|cmath)\.)",
        "math works on one number; torch.exp, torch.sqrt and torch.log work on every entry of a tensor.",
    ),
    (
        r"^\w+: (only one element tensors can be converted|a Tensor with \d+ elements cannot be converted to Scalar)",
        "float(), int(), .item(), the functions of math, and torch.tensor([...]) of tensors want one number, and this "
        "tensor holds many. Torch's own functions work on every entry; torch.stack puts tensors together.",
    ),
    (
        r"^RuntimeError: a (view of a )?leaf Variable that requires grad is being used in an in-place",
        "an operation that ends in _ (or x += ..., x[i] = ...) changes the caller's tensor. Compute a new one: x.exp() "
        "in place of x.exp_(), x = x + y in place of x += y.",
    ),
    (
        r"^RuntimeError: one of the variables needed for gradient computation has been modified by an inplace",
        "a tensor that backward still needs was changed in place: write a new tensor in place of +=, x[i] = ..., or a "
        "method that ends in _.",
    ),
    (
        r"^AttributeError: cannot assign (module|parameters?) before Module\.__init__\(\)"
        r"|^AttributeError: '\w+' object has no attribute '_(parameters|buffers|modules|backward_hooks|forward_hooks)'",
        "__init__ of a torch module must begin with super().__init__().",
    ),
    (
        r"^NameError: name 'self' is not defined",
        "`self` is the first parameter of a class's methods, as in `def encode(self, x):`. A function outside of a "
        "class has none: there, use its own parameters, such as `model.decode(z)`.",
    ),
    (
        r"^TypeError: \w+\.?(encode|decode|forward|__init__)\(\) takes \d+ positional arguments? but \d+ (was|were) "
        r"given",
        "a method's first parameter is `self`, as in `def encode(self, x):`, and Python passes it.",
    ),
    (
        r"^NameError: name '(encode|decode|encoder|decoder|hidden|latent_dim|hidden_dim)' is not defined",
        r"inside a class, write `self.\1`.",
    ),
    (
        r"^NameError: name '(nn|F|np|math|numpy|optim|D|dist|distributions|Normal)' is not defined",
        r"`\1` has not been imported in this notebook: import it at the top of your cell (`import math`, `from torch "
        r"import nn`, `import torch.nn.functional as F`).",
    ),
    (
        r"^NameError: name '(\w+)' is not defined",
        r"Python does not know `\1` yet: run the cell that defines it (after a restart: all cells above), or look for "
        r"a misspelling.",
    ),
    (
        r"^UnboundLocalError: .*'(\w+)'",
        r"`\1` is given a value somewhere in this function, so it is the function's own here: use another name for the "
        r"new value.",
    ),
    (
        r"'?torch\.return_types\.\w+'?",
        "max, min, sort and topk along an axis give two tensors together: .values are the numbers, .indices their "
        "places.",
    ),
    (
        r"must be Tensor, not (?:\w*ReLU|[GSC]?ELU|SiLU|Linear|Sigmoid|Tanh|Softplus|Sequential|Flatten|Module)\b",
        "this is a layer, not its result: a layer is made first and called then, torch.nn.ReLU()(x); or use "
        "torch.relu(x).",
    ),
    (
        r"^TypeError: randn\(\): argument 'size' .*must be tuple of ints, not Tensor",
        "torch.randn wants a shape: torch.randn_like(x) is noise in the shape of x.",
    ),
    (
        r"^AttributeError: '(?:RecordingModel|Probe|LittleVAE)' object has no attribute '(\w+)'",
        r"the check passes a model of its own, which has no `\1`. Use what the text names, and nothing else of the "
        r"model.",
    ),
    (
        r"^AttributeError: '(\w+)' object has no attribute '(\w+)'"
        r"(?=[^\n]*\n(?:.*\W)?(?P<name>torch|nn|F|D|math|np|numpy)\.\2\b)",
        r"in this notebook `\g<name>` is no longer the module: some cell gives this name to something of type \1. Give "
        r"that another name, restart, and run the cells in order.",
    ),
    (
        r"^TypeError: '(?!Tensor|torch\.Size|Size)(\w+)' object is not callable"
        r"(?=[^\n]*\n(?:.*[^\w.])?(?P<name>sum|max|min|abs|len|range|list|tuple|float|int|print|round|zip|map|sorted)\()",
        r"in this notebook `\g<name>` is no longer Python's: some line gives this name to something of type \1. Give "
        r"that another name, restart, and run the cells in order.",
    ),
    (
        r"must be Tensor, not (tuple|list)\b|^AttributeError: '(tuple|list)' object has no attribute"
        r"|only integer tensors of a single element can be converted to an index(?=[^\n]*\n[^\[\]]*\*)"
        r"|for [^\n]*: .*'tuple'|can only concatenate tuple|can't multiply sequence by non-int",
        "this is several values together, not one tensor: take them apart first, as in `mu, logvar = model.encode(x)`.",
    ),
    (
        r"^ValueError: (too many values to unpack|not enough values to unpack)",
        "the number of names on the left is not the number of values on the right: encode gives (mu, logvar), forward "
        "gives (logits, mu, logvar).",
    ),
    (
        r"^RuntimeError: mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)",
        r"what came has \2 entries in its last axis, and the layer (or matrix) wants \3. A torch.nn.Linear(a, b) takes "
        r"[..., a] to [..., b]. For a product entry by entry, write *.",
    ),
    (
        r"mat1 and mat2 must have the same dtype|expected (m1 and m2|scalar type)",
        "two dtypes meet: make new tensors like the old ones (torch.randn_like(x), dtype=x.dtype).",
    ),
    (
        r"^RuntimeError: Expected all tensors to be on the same device",
        "make new tensors where the old ones are: torch.randn_like(x), or device=x.device.",
    ),
    (
        r"^TypeError: 'int' object is not iterable(?=[^\n]*\n.*sample)",
        "sample and rsample take a shape, not a number: rsample((n,)).",
    ),
    (
        r"mean\(\): could not infer output dtype\. .*Got: Bool",
        "True and False have no mean: (...).float().mean() is the share of True.",
    ),
    (
        r"mean\(\): could not infer output dtype\.",
        "integers have no mean in torch: turn them into floats first, with .float().",
    ),
    (
        r"^ValueError: Expected value argument .* within the support \(Boolean\(\)\)",
        "torch's Bernoulli takes 0 and 1 only, and grey pixels lie between: pass validate_args=False, or use "
        "binary_cross_entropy_with_logits.",
    ),
    (
        r"^ValueError: Expected parameter scale .* GreaterThan\(lower_bound=0\.0\)|normal expects all elements of std",
        "a standard deviation is above 0: from logvar it is exp(logvar / 2).",
    ),
    (
        r"^ValueError: Expected parameter \w+ .* to satisfy the constraint (Real|GreaterThan)",
        "there is a nan or an infinite number in what the distribution was given: print it, line by line above.",
    ),
    (
        r"all elements of (input|target) should be between 0 and 1",
        "binary_cross_entropy wants probabilities; for logits there is binary_cross_entropy_with_logits(logits, x), "
        "with the image second.",
    ),
    (
        r"^ValueError: Target size .* must be the same as input size",
        "logits and image must have one shape: flatten(1) or reshape one of them.",
    ),
    (
        r"^RuntimeError: element 0 of tensors does not require grad",
        "the loss has no way back to the weights: detach(), no_grad(), .item(), .data or a trip through NumPy has cut "
        "the graph.",
    ),
    (
        r"^RuntimeError: Trying to backward through the graph a second time",
        "each backward uses its graph up: compute the loss anew for each batch, and call backward once.",
    ),
    (
        r"^RuntimeError: grad can be implicitly created only for scalar outputs",
        "backward starts from one number: sum or average the loss first.",
    ),
    (
        r"^RuntimeError: The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)",
        r"two tensors with \1 and \2 entries in an axis do not fit: print both shapes just above this line.",
    ),
    (
        r"^\w+: .*'(builtin_function_or_method|method|function)'",
        "a function is used without being called: brackets are missing, as in logvar.exp().",
    ),
    (
        r"NoneType",
        "something is None where a value is wanted: a function without `return` gives None, and so does print().",
    ),
    (
        r"^TypeError: '(Tensor|torch\.Size|Size)' object is not callable",
        "round brackets call a function; entries of a tensor are taken with square ones (x[0], x.shape[0]), and a "
        "product needs its *.",
    ),
    (
        r"^TypeError: \w+\(\): argument 'input' \(position 1\) must be Tensor, not (int|float)",
        "torch's functions want a tensor, and this is a plain number: math.exp(2.0), or torch.tensor(2.0).",
    ),
    (
        r"^TypeError: \w+\(\).*(argument 'size' failed to unpack|received an invalid combination of arguments - got "
        r"\(torch\.Size)",
        "a shape among numbers must be unpacked with a star: torch.randn(n, *mu.shape).",
    ),
    (
        r"Boolean value of Tensor with more than one value is ambiguous",
        "`if` wants one True or False; for a choice entry by entry there is torch.where, and a layer is made first and "
        "called then: torch.nn.ReLU()(x).",
    ),
    (
        r"^TypeError: .*__init__\(\) (takes|missing)|^TypeError: list is not a Module subclass",
        "a layer is made with its sizes and called afterwards: Linear(784, 20), ReLU(), Sequential(a, b) without a "
        "list; then layer(x).",
    ),
    (
        r"^ValueError: optimizer got an empty parameter list",
        "the model has no parameters: layers must be attributes of self, or in a Sequential or ModuleList.",
    ),
    (
        r"^IndexError: Dimension out of range",
        "axes count from 0, so the last of [B, D] is 1, or -1.",
    ),
    (
        r"^ValueError: .*expected a non-empty list of Tensors",
        "the list to put together is empty: its loop has not run.",
    ),
    (
        r"^AttributeError: 'float' object has no attribute '(\w+)'",
        r"this is a plain number already, and has no .\1: leave .item() and float() to the very end.",
    ),
    (
        r"^AttributeError: (?:module '([\w.]+)'|'(\w+)' object) has no attribute '(\w+)'",
        r"there is no `\3` there: is it spelt as in the documentation, and kept on self under this name?",
    ),
    (
        r"^RecursionError",
        "the function calls itself without an end: does it bear the name of the one that it wants to use?",
    ),
)
"""Patterns of an exception's own words, the first that fits counts, and what to say."""


def in_plain_words(kind: str, text: str, line: str = "") -> str:
    r"""One sentence on a common exception, "" for one that is not in the catalogue.

    Args:
        kind: the exception's type.
        text: what it says.
        line: the line of the student's that raised it, if it is known.

    Example:
        >>> in_plain_words("NotImplementedError", '"bitwise_xor_cpu" not implemented for \'Float\'')
        '`^` is xor in Python; a power is `**`, or torch.square.'
        >>> in_plain_words("KeyError", "'z'")
        ''
    """
    words = f"{kind}: {' '.join(text.split())}\n{line}"
    for pattern, sentence in CATALOGUE:
        if found := re.search(pattern, words):
            return found.expand(sentence)
    return ""
