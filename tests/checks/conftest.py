"""Every message that a test of the checks brings about is one that the catalogues know."""

import re

import pytest
from heard import all_translated

from vae_lab.checks import compute_device, lab_overview, messages, passing, pictures

MADE_UP = re.compile(r"(?:half|halve|whole|quarter|square|tiny|double|triple)\b")  # tasks that only a test knows


@pytest.fixture(autouse=True)
def each_message_is_translated():
    def listen(patch, heard):
        before = messages.CheckFailed.__init__

        def noted(self, *args):
            heard.extend(str(text) for text in args if not MADE_UP.match(str(text)))
            before(self, *args)

        patch.setattr(messages.CheckFailed, "__init__", noted)
        for module in (compute_device, lab_overview, passing, pictures):
            patch.setattr(module, "said", lambda text: (heard.append(text), text)[1])

    with all_translated(listen):
        yield
