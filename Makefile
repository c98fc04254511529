# stream_rec: every task a reader or a contributor needs. `make` lists them.
# Each target that needs Python builds .venv first; once built, that costs nothing.

# Python >= 3.11 is looked for under these names; choose another with `make PYTHON=/path/to/python`.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)

BIN := .venv/bin
STAMP := .venv/.installed
# Further arguments of demo, test and broker: `make test ARGS="-k engine"`.
ARGS ?=
# Schedules of `make simulate`: about 0.1 s of one core each.
SEEDS ?= 10000

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench simulate chaos fuzz lint format types check broker lock clean distclean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP)  ## build .venv with everything in requirements-dev.lock

$(STAMP): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python >= 3.11 found (looked for python3 and" \
		"python3.11 to python3.14); install one, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Building .venv with $$($(PYTHON) --version); one to two minutes, once."
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv || { echo "make: $(PYTHON)" \
		"cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade >/dev/null
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check \
		--require-hashes --requirement requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	@$(BIN)/stream-rec compile
	@touch $@

demo: $(STAMP)  ## watch film ratings become recommendations, live; ends by itself
	@$(BIN)/stream-rec demo $(ARGS)

test: $(STAMP)  ## run all tests (those that need a real Kafka skip where there is none)
	@$(BIN)/python -m pytest $(ARGS)

bench: $(STAMP)  ## run each bench for some seconds; compare ratios with benchmarks/history.jsonl
	@$(BIN)/python -m benchmarks.check $(ARGS)

simulate: $(STAMP)  ## run SEEDS schedules of crashes, zombies and lost writes on all cores
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS)

lint: $(STAMP)  ## check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(STAMP)  ## format, and mend what can be mended by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(STAMP)  ## check types
	@$(BIN)/mypy

check: lint types test  ## lint, types and tests: what a change has to pass

broker: $(STAMP)  ## run a real Apache Kafka on port 9092 without Docker (Java >= 17 and Maven)
	@$(BIN)/python -m tests.kafka.local_broker --port 9092 $(ARGS)

chaos: $(STAMP)  ## strike workers on a real Kafka at random: FAULTS=20 SEED=0, on 1 and on 3 nodes
	@FAULTS=$(or $(FAULTS),20) SEED=$(or $(SEED),0) $(BIN)/python -m pytest -m slow -s tests/kafka/test_chaos.py $(ARGS)

fuzz: $(STAMP)  ## feed INPUTS=1000000 damaged inputs to the decoder, the row codecs and the engine
	@$(BIN)/python -m tests.fuzz --inputs $(or $(INPUTS),1000000) --seed $(or $(SEED),0)

# uv resolves for every supported Python and system at once, which pip cannot. It is a tool of this
# target only and stays outside .venv. Commit both files; read the diff before.
lock:  ## renew both lock files from pyproject.toml
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && $(PYTHON) -m venv $$tools \
		&& $$tools/bin/pip install --quiet --disable-pip-version-check uv \
		&& options="--quiet --universal --python-version 3.11 --fork-strategy fewest --upgrade \
			--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command=make\ lock" \
		&& eval $$tools/bin/uv pip compile $$options --all-extras --output-file requirements-dev.lock pyproject.toml \
		&& eval $$tools/bin/uv pip compile $$options --extra serve --constraint requirements-dev.lock \
			--output-file requirements.lock pyproject.toml

clean:  ## remove caches, build products and the demo's state
	@rm -rf dist state .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find stream_rec producers tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## remove .venv too
	@rm -rf .venv
