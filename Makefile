# Two commands matter: `make book` and `make test`. Everything happens in .venv; nothing is installed elsewhere.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(if $(shell $(p) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(p))))
BIN := .venv/bin
STAMP := .venv/ibtext.stamp
NOTEBOOKS = $(wildcard book/*.ipynb)
export IBTEXT_SITE ?= $(CURDIR)/_build/html

.PHONY: help book test test-changed test-fast test-machines install lab assignments bench lock normalize clean distclean prerequisites chromium slides pdf

help: ## list the commands
	@echo "What training chooses: commands (each makes .venv first if it is missing)"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

prerequisites:
	@command -v git >/dev/null || { echo "The checks need git, which was not found; install it: sudo apt-get install git" >&2; exit 1; }
	@test -n "$(PYTHON)" || { echo "The book needs Python 3.11 or newer, and none was found as python3; install it: sudo apt-get install python3 python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Making .venv needs Python's venv module, which Debian and Ubuntu package apart; install it: sudo apt-get install python3-venv" >&2; exit 1; }

chromium:
	@command -v chromium >/dev/null || { echo "The PDF is printed with Chromium, which was not found; install it: sudo apt-get install chromium" >&2; exit 1; }

# The stamp is older than the lock file or the package metadata exactly when .venv may not be what they describe.
$(STAMP): requirements.lock pyproject.toml | prerequisites
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked versions into .venv (a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

install: $(STAMP) ## make .venv with everything in it
	@echo "Ready: .venv holds $$($(BIN)/python --version), the package and all that the book needs."

book: $(STAMP) ## execute the notebooks, build the site, say how to open it
	@$(BIN)/python -m tools.site.build

test: $(STAMP) ## everything that must hold: style, package, notebooks, site, browser
	@$(BIN)/python -m tools.check

test-changed: $(STAMP) ## what the change at hand touches, in under three minutes
	@$(BIN)/python -m tools.changed

test-fast: $(STAMP) ## the package alone: no notebooks, no site, no browser
	@$(BIN)/ruff check .
	@$(BIN)/python -m pytest -q -n auto --dist loadfile --ignore=tests/browser --ignore=tests/book -m "not slow"

test-machines: $(STAMP) ## the package and the notebooks under other BLAS kernels, threads, Pythons, oldest versions
	@$(BIN)/python -m tools.machines

lab: $(STAMP) ## open the chapters in JupyterLab
	@$(BIN)/jupyter-lab --notebook-dir=. --LabApp.default_url=/lab/tree/book

assignments: $(STAMP) ## make the assignments: release for students, solutions and guides for teachers
	@$(BIN)/python -m tools.assignments build

slides: $(STAMP) ## put every figure of the book on a slide
	@$(BIN)/python -m tools.site.slides

pdf: chromium $(STAMP) ## print the whole book as one PDF
	@$(BIN)/python -m tools.site.build
	@$(BIN)/python -m tools.site.pdf $(ADDRESS)

bench: $(STAMP) ## measure ibtext beside its peers
	@test -d benchmarks || { echo "There is nothing to measure: this version of the book has no benchmarks yet." >&2; exit 1; }
	@$(BIN)/python -m benchmarks

normalize: $(STAMP) ## bring the notebooks into the form in which they are committed
	@$(BIN)/python -m tools.notebooks.normalize $(NOTEBOOKS)

lock: $(STAMP) ## write requirements.lock from the environment in .venv
	@$(BIN)/python -m tools.lock
	@touch $(STAMP)

clean: ## remove what was built, keep .venv
	@rm -rf _build .pytest_cache .ruff_cache .hypothesis build ibtext.egg-info

distclean: clean ## remove .venv too
	@rm -rf .venv
