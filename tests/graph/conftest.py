"""Every sentence about a graph is one that the catalogues know."""

import sys

import pytest
from heard import all_translated

from vae_lab.graph import graph
from vae_lab.graph.drawing import drawing, svg

explain = sys.modules["vae_lab.graph.explain"]  # a function of the same name stands before it


@pytest.fixture(autouse=True)
def each_sentence_is_translated():
    def listen(patch, heard):
        before = explain.Explanation.__init__

        def noted(self, sentences, *args):
            heard.extend(sentences)
            before(self, sentences, *args)

        def kept(picture):
            said = describe(picture)
            heard.extend(said)
            return said

        describe = svg.describe
        patch.setattr(explain.Explanation, "__init__", noted)
        for module in (drawing, svg, graph):
            patch.setattr(module, "describe", kept)

    with all_translated(listen):
        yield
