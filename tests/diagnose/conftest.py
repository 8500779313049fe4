"""Every finding and remark is one that the catalogues know."""

import sys

import pytest
from heard import all_translated, keeping

import vae_lab.diagnosis  # noqa: F401  (its function `diagnose` hides the module of that name)

MODULE = sys.modules["vae_lab.diagnosis.diagnose"]


@pytest.fixture(autouse=True)
def each_finding_is_translated():
    with all_translated(lambda patch, heard: patch.setattr(MODULE, "_examine", keeping(MODULE._examine, heard))):
        yield
