# Every target sets up the virtual environment first, if pyproject.toml changed since.
PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-ai8x lint format ui bench docs release clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "maxexp needs Python 3.11 or newer: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@# uv is five times as fast as pip; pip installs where uv cannot.
	$(RUN) -m pip install --quiet --disable-pip-version-check uv \
	  && $(RUN) -m uv pip install --quiet --python $(RUN) -e '.[test,lint,docs]' \
	  || $(RUN) -m pip install --quiet --disable-pip-version-check -e '.[test,lint,docs]'
	@touch $@

demo: $(VENV)/.installed  ## train, quantize and evaluate a small network, run its firmware on the emulated board
	$(RUN) -m maxexp +experiment=quickstart board=emulated board.images=null $(ARGS)

test: $(VENV)/.installed  ## run the tests that take seconds each
	$(RUN) -m pytest -n 2 --dist worksteal -m "not slow" $(ARGS)

test-slow: $(VENV)/.installed  ## run all tests, the long ones too
	$(RUN) -m pytest -n 2 --dist worksteal $(ARGS)

test-ai8x: $(VENV)/.installed  ## run the tests against a checkout of ai8x-synthesis (AI8X_SYNTHESIS=PATH), 5 min
	$(RUN) -m pytest -n 2 -m ai8x $(ARGS)

lint: $(VENV)/.installed  ## check style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: $(VENV)/.installed  ## format the code
	$(VENV)/bin/ruff check --fix-only --quiet .
	$(VENV)/bin/ruff format .

ui: $(VENV)/.installed  ## open the MLflow UI on the local runs
	$(RUN) -m maxexp.ui $(ARGS)

bench: $(VENV)/.installed  ## measure speed, memory and growth, also against AI8X_TRAINING=PATH: 25 min
	$(RUN) experiments/benchmarks/bench.py $(ARGS)

docs: $(VENV)/.installed  ## build the documentation into site/, strictly: a dead link is an error
	$(VENV)/bin/mkdocs build --strict $(ARGS)

release: $(VENV)/.installed  ## build sdist and wheels into dist/, and try both in fresh environments
	.ci/release $(RUN)

clean:  ## remove the virtual environment and caches, keep runs and data
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis
