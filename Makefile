# Two commands for a fresh machine: `make site` and `make test`. Everything they need is set up by the targets themselves.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(BIN)/llmops-catalog
PORT   ?= 8000

.DEFAULT_GOAL := help
.PHONY: help site serve test check lint types unit browser wheel validate schemas bench clean

help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "llmops-catalog needs Python 3.11 or newer; this is $$($(PYTHON) --version). Name another one: make site PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make virtual environments here. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "installing into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/python -m compileall -q llmops_catalog
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@echo "installing what the tests need (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group test
	@touch $@

site: $(VENV)/.installed ## validate the records and build the site into site/
	@$(RUN) validate
	@$(RUN) build
	@echo "To look at it: make serve    (then open http://127.0.0.1:$(PORT)/)"

serve: $(VENV)/.installed ## build the site, serve it on 127.0.0.1 and rebuild when a record changes
	@$(RUN) serve --port $(PORT)

test: check ## everything CI runs: lint, types, unit, property, golden, browser, strict build

check: lint types validate unit browser ## the same as test

lint: $(VENV)/.tested ## ruff: rules and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .

types: $(VENV)/.tested ## mypy --strict
	@$(BIN)/mypy

validate: $(VENV)/.installed ## all problems of all records
	@$(RUN) validate

schemas: $(VENV)/.installed ## write the JSON Schemas of the records into catalog/schemas/ (a test compares them)
	@$(RUN) schema --write

unit: $(VENV)/.tested ## unit, property, golden and command-line tests
	@$(BIN)/pytest -q -n auto -m "not browser"

browser: $(VENV)/.tested ## the built site in a real Chromium
	@$(BIN)/python tests/ensure_chromium.py
	@$(BIN)/pytest -q -m browser

wheel: $(VENV)/.tested ## build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

bench: $(VENV)/.tested ## what the performance claims rest on
	@for script in $(filter-out benchmarks/measure_memory.py benchmarks/count_training_memory.py,$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean: ## remove everything that was built
	rm -rf $(VENV) build site dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
