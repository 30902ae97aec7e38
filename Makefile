# Two commands for a newcomer: `make demo` and `make test`. Both need Python ≥ 3.11, git and make; nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
DEMO := demo-output
FUZZ_SECONDS ?= 60
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal

.PHONY: help demo demo-roadmap test check agents faults soak fuzz bench lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

$(VENV)/.run: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bursar needs Python 3.11 or later, not " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.run  ## run an example plan end to end with a scripted agent; its repository stays in demo-output/
	$(BIN)/python examples/features/demo.py $(DEMO)

demo-roadmap: $(VENV)/.run  ## the same with a roadmap of four phases, whose conductor is killed on the way
	$(BIN)/python examples/roadmap/demo.py $(DEMO) --kill

check: $(VENV)/.dev  ## lint, format, types, import law
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check  ## everything but what takes long
	$(PYTEST) -m "not faults"

agents: $(VENV)/.dev  ## write docs/agents.md from a run of the conformance suite on the real agent CLIs
	$(BIN)/python -m tests.conformance.agent_table

faults: $(VENV)/.dev  ## the long kill and fault loops, and other tests that take long (up to 45 minutes)
	$(PYTEST) -m faults --timeout 2400

soak: $(VENV)/.dev  ## the fault loops again and again with new seeds, until ctrl-C
	while BURSAR_SEED=$$(date +%s) $(PYTEST) -m faults --timeout 0; do :; done

$(VENV)/.fuzz: $(VENV)/.dev requirements-fuzz.lock
	$(PIP) install --require-hashes -r requirements-fuzz.lock
	@touch $@

fuzz: $(VENV)/.fuzz  ## feed the readers of plans, logs and streams what finds new paths through them, for FUZZ_SECONDS=60 each
	$(BIN)/python -m tests.fuzz.read_plans -max_total_time=$(FUZZ_SECONDS) -max_len=20000 -print_final_stats=1
	$(BIN)/python -m tests.fuzz.read_logs -max_total_time=$(FUZZ_SECONDS) -max_len=20000 -print_final_stats=1
	$(BIN)/python -m tests.fuzz.read_streams -max_total_time=$(FUZZ_SECONDS) -max_len=20000 -print_final_stats=1

bench: $(VENV)/.dev  ## timings, side by side with what they are compared to
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/run_overhead.py
	$(BIN)/python benchmarks/resume.py
	$(BIN)/python benchmarks/ledger.py
	$(BIN)/python benchmarks/graph.py
	$(BIN)/python benchmarks/schedule.py
	$(BIN)/python benchmarks/roadmaps.py --quick
	$(BIN)/python benchmarks/plans.py
	$(BIN)/python benchmarks/estimate.py
	$(BIN)/python benchmarks/usage.py
	$(BIN)/python benchmarks/supervisor.py
	$(BIN)/python benchmarks/meter.py
	$(BIN)/python benchmarks/overshoot.py

lock:  ## pin every dependency again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group build pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml -o requirements-dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group fuzz pyproject.toml -o requirements-fuzz.lock

clean:  ## remove what make has made
	rm -rf $(VENV) $(DEMO) .cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
