# The two commands: `make course` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help course test gpu environment book labs verify grade site bench serve clean

PYTHON ?= python3
TORCH ?=
LAB ?= sampling
CLASS ?= 20
VENV := .venv
BIN := $(VENV)/bin
HTML := _build/html/index.html

# PyTorch's own index holds builds without CUDA, a tenth of the size: make course TORCH=cpu
TORCH_INDEX := $(if $(filter cpu,$(TORCH)),--extra-index-url https://download.pytorch.org/whl/cpu)
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c constraints.txt $(TORCH_INDEX)

help:
	@echo "make course   environment, labs, book, a sample class graded: everything to look at"
	@echo "make test     all tests, with what they need"
	@echo "make gpu      the tests that need a GPU, on a machine that has one"
	@echo "make book     build the book into _build/html/, in Vietnamese into _build/html/vi/"
	@echo "make labs     labs/ from solutions/"
	@echo "make verify   every lab against its bank of right and wrong answers"
	@echo "make grade    grade submitted/ of one lab (LAB=$(LAB))"
	@echo "make site     what is published: book, notebooks, wheel, offline copy"
	@echo "make bench    the measurements in benchmarks/"
	@echo "make serve    read the built book at http://localhost:8000"
	@echo "make clean    remove what these commands made, the environment and grades excepted"

course: $(VENV)/.course
	@tools/system-packages.sh bubblewrap || echo "Going on without the sandbox."
	@echo; echo "== Labs"
	$(BIN)/vae-lab release
	@echo; echo "== Book"
	$(MAKE) --no-print-directory book
	@echo; echo "== A sample class of $(CLASS), graded"
	@$(MAKE) --no-print-directory sample-grade
	@echo; echo "Open these:"
	@echo "  the book          $(HTML)"
	@echo "  a lab to solve    $(BIN)/jupyter lab labs/$(LAB)/$(LAB).ipynb"
	@[ ! -f report/$(LAB)/index.html ] || echo "  the class report  report/$(LAB)/index.html"

# A class needs the sandbox; a machine without one still gets the book and the labs.
.PHONY: sample-grade
sample-grade:
	@if ! reason=$$($(BIN)/python -c "from vae_lab.grading.sandbox.bubblewrap import sandbox_problem as p; print(p() or '')") || [ -n "$$reason" ]; then \
	  echo "The sample class was not graded: $$reason"; \
	else \
	  $(BIN)/vae-lab sample-class $(LAB) -n $(CLASS) && $(BIN)/vae-lab grade $(LAB); \
	fi

test: $(VENV)/.dev
	@tools/system-packages.sh bubblewrap chromium postgresql
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(MAKE) --no-print-directory -j 2 book types gpu-tests-without-one verify  # neither fills two cores alone
	$(BIN)/python -m pytest -n 3 --dist worksteal  # many tests wait for a clock: a third worker fills two cores

.PHONY: types gpu-tests-without-one
types: $(VENV)/.dev
	$(BIN)/mypy

gpu-tests-without-one: $(VENV)/.dev
	$(BIN)/python -m pytest tests/gpu -m gpu --device cpu --quiet

gpu: $(VENV)/.dev
	$(BIN)/python -m pytest tests/gpu -m gpu

book: $(VENV)/.course
	$(BIN)/jupyter-book build . -n -W --keep-going
	$(BIN)/python -m tools.translation.build

labs: $(VENV)/.course
	$(BIN)/vae-lab release

verify: $(VENV)/.course
	$(BIN)/vae-lab verify

grade: $(VENV)/.course
	$(BIN)/vae-lab grade $(LAB)

site: $(VENV)/.dev
	$(BIN)/python -m tools.publish

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.training --json vae_lab/assets/speed.json
	$(BIN)/python -m benchmarks.graph_recording
	$(BIN)/python -m benchmarks.playground
	$(BIN)/python -m benchmarks.grading --results benchmarks/results/grading.md
	$(BIN)/python -m benchmarks.grading_start --results benchmarks/results/grading_start.md
	$(BIN)/python -m benchmarks.hostile --results benchmarks/results/hostile.md

serve:
	$(PYTHON) -m http.server --directory _build/html --bind 127.0.0.1 8000

clean:
	rm -rf _build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

environment: $(VENV)/.dev

$(VENV)/.created:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.course: $(VENV)/.created pyproject.toml constraints.txt
	$(INSTALL) -e '.[book,grade]'
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(INSTALL) -e '.[bench]'
	@touch $@

$(VENV)/.dev: $(VENV)/.course
	$(INSTALL) -e '.[dev]'
	@touch $@
