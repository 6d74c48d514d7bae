# Every target sets up what it needs by itself, shows what it does, and is quick the second time.
#   make demo     the story in a minute, on a real model
#   make test     every test, on every Python >= 3.11 found
#   make check    lint, format, types, layers, generated files: what everyone runs before a commit
#   make bench    figures of speed and memory, as ratios
#   make fuzz     property and fuzz tests with many more examples, pickles against CPython's unpicklers
#                 (MODELSIGN_FUZZ_PROGRAMS, 1000000), then parsers for MODELSIGN_FUZZ_SECONDS (600)
#   make ordinary false alarms: makes files with the libraries that are installed, and scans them
#   make recall   names that other scanners call dangerous, by every route in every container: none may be clean
#   make interop  who reads whose signatures, by method, against a Sigstore on loopback
#   make mutate   mutation testing of the modules that decide
#   make clean    remove everything these targets made

PYTHON ?= $(shell for p in python3.12 python3.11 python3 python3.13 python3.14; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test check bench fuzz ordinary recall interop mutate generate clean

help:
	@sed -n 's/^#   //p' Makefile

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "modelsign needs Python 3.11 or newer; none was found. Try make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/python examples/demo

test: $(VENV)/.dev
	$(BIN)/python tools/test.py

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/generate.py --check

generate: $(VENV)/.dev
	$(BIN)/python tools/generate.py

bench: $(VENV)/.dev
	$(BIN)/python tools/bench

$(VENV)/.fuzz: pyproject.toml $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --editable '.[fuzz]' || echo "atheris cannot be installed here; seeded changes do instead"
	@touch $@

fuzz: $(VENV)/.fuzz
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -q -n 2 tests/property tests/fuzz tests/unit/scan_formats/test_hostile_files.py
	$(BIN)/python tools/fuzz_pickles.py
	$(BIN)/python tools/fuzz.py

ordinary: $(VENV)/.dev
	$(BIN)/python tools/ordinary

recall: $(VENV)/.dev
	$(BIN)/python tools/recall.py

interop: $(VENV)/.dev
	$(BIN)/python tools/node_packages.py
	$(BIN)/python tools/interop

mutate: $(VENV)/.dev
	$(BIN)/python tools/mutate.py

clean:
	rm -rf $(VENV) $(VENV)-3.* build dist mutants .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
