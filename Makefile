# Every command of the README in one place. Windows and macOS: see the README for the same by hand.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: demo test test-slow test-gpu test-fuzz lint bench setup setup-dev clean

demo: setup ## The bundled demonstration with live contours
	@$(PY) main.py --demo

# Twice, as in use: the window never meets what trains. Each on two cores, a file of tests to one of them; the
# first in the order of the folders, the small unit tests last, so that both cores end together.
PYTEST = $(PY) -m pytest -m "not slow and not gpu and not fuzz" -n 2 --dist loadfile
test: setup-dev ## Everything that may run everywhere, under 8 minutes on two cores
	$(PYTEST) --no-loadscope-reorder --ignore tests/distill
	OMP_NUM_THREADS=1 $(PYTEST) tests/distill

test-slow: setup-dev ## What takes longer
	$(PY) -m pytest -m slow

test-fuzz: setup-dev ## Damaged files and killed processes, by fixed seeds; prints its table
	$(PY) -m pytest -m fuzz -s tests/fuzz

test-gpu: setup-dev ## What needs an NVIDIA GPU
	$(PY) -m pytest -m gpu -s -rs tests/gpu

lint: setup-dev ## Style, types and who may import whom
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: setup-dev ## The figures of the README, made again on this machine
	$(PY) -m engine.bench pipeline
	$(PY) -m engine.bench live
	$(PY) -m engine.bench runtimes

setup: $(VENV)/.live ## What live use needs: no torch
setup-dev: $(VENV)/.dev ## What tests and training need

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$$($(PYTHON) --version) is too old: Python 3.11 or newer is needed. Install it or run make PYTHON=python3.12."; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.live: pyproject.toml | $(VENV)/bin/python
	$(PY) -m pip install --quiet --editable .
	sh scripts/system-libraries.sh $(PY)
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(PY) -m pip install --quiet --editable '.[dev,train]'
	sh scripts/system-libraries.sh $(PY)
	@touch $@ $(VENV)/.live

clean:
	rm -rf $(VENV) build out *.egg-info
