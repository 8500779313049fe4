"""Every test here draws in the course's style, into memory, and closes what it has drawn."""

import matplotlib as mpl
import pytest

mpl.use("agg")

from matplotlib import pyplot as plt

from vae_lab import plots


@pytest.fixture(autouse=True)
def _style():
    with plt.rc_context():
        plots.use_course_style()
        yield
        plt.close("all")
