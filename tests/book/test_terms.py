"""A word stands after its introduction: which page introduces which term, and which words a reader need not know."""

from __future__ import annotations

import json
import re

import pytest
from book.prose import prose
from book.sources import ROOT, toc_pages

# The page that introduces a term, in bold type; what counts as the term on earlier pages.
TERMS = {
    "reparameterization trick": ("intro", r"reparameteri[sz]\w+"),
    "variational autoencoder": ("intro", r"variational|VAEs?"),
    "encoder": ("intro", r"encoders?"),
    "decoder": ("intro", r"decoders?|decodes?|decoded"),
    "latent": ("intro", r"latents?"),
    "code": ("autoencoders", r"latent code"),
    "autoencoder": ("autoencoders", r"(?<!variational )autoencoders?"),
    "latent space": ("autoencoders", r"latent spaces?"),
    "reconstruction": ("autoencoders", r"reconstructions?"),
    "nats": ("autoencoders", r"nats?"),
    "prior": ("autoencoders", r"priors?"),
    "KL divergence": ("autoencoders", r"KL|Kullback\S*"),
    "computation graph": ("computation_graphs", r"computation graphs?"),
    "Backpropagation": ("computation_graphs", r"backpropagat\w+"),
    "node": ("computation_graphs", r"nodes?"),
    "leaf": ("computation_graphs", r"leaf|leaves"),
    "deterministic": ("stochastic_nodes", r"deterministic\w*"),
    "stochastic": ("stochastic_nodes", r"stochastic\w*"),
    "standard error": ("reparameterization", r"standard errors?"),
    "pathwise": ("gradient_paths", r"pathwise"),
    "unbiased": ("gradient_paths", r"(?:un)?biased"),
    "score function": ("two_gradients", r"score[- ]functions?|REINFORCE"),
    "baseline": ("two_gradients", r"baselines?"),
    "common random numbers": ("two_gradients", r"common random numbers"),
    "likelihood": ("elbo", r"(?:log-)?likelihoods?"),
    "posterior": ("elbo", r"posteriors?"),
    "ELBO": ("elbo", r"ELBOs?|evidence"),
    "distortion": ("elbo", r"distortions?"),
    "rate": ("elbo", r"(?<!learning )(?<!with )rates?"),
    "logits": ("training", r"logits?"),
    "collapsed": ("training", r"collaps\w+"),
    "posterior collapse": ("training", r"posterior collapse"),
    "probabilistic PCA": ("training", r"probabilistic PCA"),
    "Fréchet distance": ("generation", r"Fréchet\w*"),
    "importance-weighted bound": ("how_good", r"importance[- ]weight\w*"),
    "Gumbel-softmax": ("beyond_gaussians", r"Gumbel\S*"),
}
TO_LOOK_UP = {"labs", "instructors", "lecture", "notation", "questions", "references", "speed", "status"}
LESSONS = [page for page in toc_pages() if page.stem not in TO_LOOK_UP]
ORDER = [page.stem for page in LESSONS]


def word(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{pattern})(?!\w)")


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_introduced_in_bold_where_the_list_says_so(term):
    page = ROOT / "book" / f"{TERMS[term][0]}.md"
    assert re.search(rf"\*\*{re.escape(term)}\*\*", page.read_text()), f"{page.stem} does not introduce **{term}**"


@pytest.mark.parametrize("term", TERMS)
def test_no_earlier_page_needs_the_term(term):
    home, pattern = TERMS[term]
    for page in LESSONS[: ORDER.index(home)]:
        found = word(pattern).search(prose(page))
        assert not found, f"{page.stem} says {found[0]!r}, which {home} introduces: ...{around(page, found)}..."


def around(page, found) -> str:
    return " ".join(prose(page)[max(0, found.start() - 60) : found.end() + 40].split())


def test_the_search_for_early_terms_can_fail(tmp_path):
    early = tmp_path / "early.md"
    early.write_text("---\na: b\n---\n# T\n\nThe ELBO is `elbo`; see [the ELBO](elbo.md).\n")
    assert len(word(TERMS["ELBO"][1]).findall(prose(early))) == 1


# Words that many readers of English as a second language do not know, and images that a translation loses.
HARD = (
    r"dear(?:er|est)?|stray(?:s|ed)?|hairs?|blots?|opinions?|quiet(?:er|ly)?|h[eo]ld fast|wiggl\w+|hero|sly"
    r"|(?<!images, )sound(?:er|ly|est)?"  # "Colour images, sound, tables?" is about what one hears
)
DIE = r"dice|die"


@pytest.mark.parametrize("page", toc_pages(), ids=lambda page: page.stem)
def test_plain_words(page):
    found = word(HARD).search(prose(page))
    assert not found, f"{page.stem} says {found[0]!r}: ...{around(page, found)}..."
    if page.stem != "stochastic_nodes":  # the one page with the image of a die
        found = word(DIE).search(prose(page))
        assert not found, f"{page.stem} says {found[0]!r}: ...{around(page, found)}..."


@pytest.mark.parametrize("file", sorted((ROOT / "vae_lab" / "widgets" / "words").glob("*.json")), ids=lambda f: f.stem)
def test_plain_words_in_the_interactions(file):
    for key, text in json.loads(file.read_text(encoding="utf-8")).items():
        found = word(HARD).search(str(text)) or word(DIE).search(str(text))
        assert not found, f"{key} says {found[0]!r}: {text}"


TITLES = {
    "autoencoders": ("Autoencoder", "latent space"),
    "computation_graphs": ("Computation graph",),
    "stochastic_nodes": ("Stochastic", "deterministic nodes"),
    "reparameterization": ("reparameterization trick",),
    "gradient_paths": ("Gradient",),
    "two_gradients": ("Score function", "pathwise gradients"),
    "elbo": ("ELBO",),
    "training": ("Training a VAE",),
    "generation": ("Generating images",),
    "how_good": ("importance-weighted bound", "ELBO"),
    "beyond_gaussians": ("Beyond Gaussians", "Gumbel-softmax", "implicit"),
    "summary": ("Summary",),
    "questions": ("Questions",),
}


@pytest.mark.parametrize("page", TITLES)
def test_a_title_has_the_fields_term(page):
    """Contents, tab and search show the title and nothing else."""
    text = (ROOT / "book" / f"{page}.md").read_text()
    title = re.search(r"^# (.+)$", text, re.MULTILINE)[1]
    assert all(term in title for term in TITLES[page]), title
    assert TITLES[page][0] in title.split(":")[0], f"{title}: the term comes first, an image may follow it"
