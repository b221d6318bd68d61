# make serve [PORT=8080]  build the first release and serve it
# make test               everything that must hold
# make faults             break it at every system call, at length; figures go to docs/reliability.md
# make bench [ARGS=--quick]  the server beside others; figures go to docs/benchmarks.md
# make bench-validation   validation beside other programs; figures go to docs/benchmarks.md
# make bench-engines    a release to an engine and back, in bulk; figures go to docs/scaling.md
# make lock               write the lock files anew
# make generate           write vocab.py and context.jsonld anew, from the ontology
# make clean              remove all that make made

PORT ?= 8080
HOST ?= 127.0.0.1
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FRONTEND := $(wildcard frontend/*.* frontend/src/*)

.PHONY: serve test faults load bench bench-validation bench-engines lint setup setup-dev lock generate clean

serve: $(VENV)/.installed
	@$(BIN)/clustergraph serve --host $(HOST) --port $(PORT)

test: lint
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile -m "not alone"
	$(BIN)/python -m pytest -m alone

faults: $(VENV)/.installed-dev
	$(BIN)/python -m tests.faults

bench: $(VENV)/.installed
	$(BIN)/python -m bench.queries $(ARGS)

bench-validation: $(VENV)/.installed
	$(BIN)/python -m bench.validation

bench-engines: $(VENV)/.installed-dev
	$(BIN)/python -m bench.engines --write

load: $(VENV)/.installed-dev
	$(BIN)/python -m tests.load

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

setup: $(VENV)/.installed
setup-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "ClusterGraph needs Python 3.11 or newer; name it with: make PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "The module venv is missing; on Debian: apt-get install python3-venv" >&2; exit 2; }

$(VENV)/.installed: requirements.txt pyproject.toml hatch_build.py $(FRONTEND) | $(VENV)/bin/python
	@echo "Installing ClusterGraph ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing the tools for tests ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

lock: $(VENV)/.installed-dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --group build -o requirements.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --group build --group dev -c requirements.txt -o requirements-dev.txt pyproject.toml

generate: $(VENV)/.installed-dev
	$(BIN)/python tools/generate_vocab.py

clean:
	rm -rf $(VENV) var build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
