# One door to everything. A bare Python 3.11 or later named `python3` is enough: each target first
# makes .venv from requirements.lock, once; nothing is read or installed outside it.
# One thread for linear algebra: sums in one order, and small matrices are quicker.
export OPENBLAS_NUM_THREADS := 1
# The tests start hundreds of processes, and each would compile every module of Python again.
unexport PYTHONDONTWRITEBYTECODE
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PY := $(BIN)/python
CODE := hft tests $(wildcard benchmarks)
# More words for pytest, such as `make test ARGS='-k book -x'`.
ARGS ?=
# A process a core; the tests of one file stay together, since they share what they prepare.
WORKERS ?= -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
QUICK_WORKERS ?= -n 2 --dist loadfile --no-loadscope-reorder
# What `make demo` replays and where it leaves its run.
DEMO_ARGS ?=
FUZZ_SEEDS ?= 200
ENGINE_MARKETS ?= 200000
CRASH_SEEDS ?= 3000

.PHONY: advice-check answer-key attacks mutations random-runs bench-inputs bench-journal bench-recorder bench-search bench-service bench-statistics help demo kernels kill-drill quick quick-faults soak test test-compiled test-plain test-browser check format lint types layers tidy \
	docs bench fuzz fuzz-crash soak-crash fuzz-engine fuzz-engine-recorded fuzz-engine-coverage governance-study ledger-soak leak-lists bless notebooks fix reference lock sessions wheel setup clean

help:  ## print this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## replay a synthetic market day through the gateway; prints the table, writes report.html
	@$(BIN)/hft demo $(DEMO_ARGS)

test: test-compiled test-plain  ## run the tests: compiled with bounds checks, then without compilation

# The engine runs in plain Python, so an edit below the line costs nothing here; the compiled one is
# checked where it is in the cache, which it is until such an edit.
quick: $(READY)  ## the loop while one works, under a minute: lint, then the tests of tests/quick.py
	@$(BIN)/ruff check -q $(CODE)
	@NUMBA_DISABLE_JIT=1 $(PY) -m pytest -q --quick --seeds 1 $(QUICK_WORKERS) $(ARGS) \
		$$($(PY) tests/quick.py)
	@if NUMBA_BOUNDSCHECK=1 $(PY) tests/quick.py --engine; then \
		NUMBA_BOUNDSCHECK=1 $(PY) -m pytest -q tests/golden/test_golden_synthetic.py; \
	else echo "The engine changed, and its compiled tests were left out: 'make kernels' compiles it" \
		"in one to two minutes, then 'make quick' has them again."; fi

quick-faults: $(READY)  ## plant faults of one line, one at a time, and count those that make quick finds
	@$(PY) tests/quick_faults.py $(ARGS)

# Before the tests, or each of their processes would compile for itself.
kernels: $(READY)  ## compile the engine with bounds checks (cached)
	@NUMBA_BOUNDSCHECK=1 $(PY) -c "import hft.replay.compiled"

test-compiled: kernels
	@echo "== tests, compiled with bounds checks"
	@NUMBA_BOUNDSCHECK=1 $(PY) -m pytest -q $(WORKERS) $(ARGS)

# Two of the five seeds that the compiled run has: what differs without compilation shows in any.
test-plain: $(READY)
	@echo "== tests marked nojit, in plain Python"
	@NUMBA_DISABLE_JIT=1 $(PY) -m pytest -q -m nojit --seeds 2 $(WORKERS) $(ARGS)

test-browser: $(READY)  ## check report.html in a real browser, where there is one
	@$(PY) -m pytest -q -m browser tests || { code=$$?; [ $$code -eq 5 ] && \
		echo "no browser test was collected: the report is parsed and link-checked by make test"; }

soak: $(READY)  ## the tests of minutes: docs/life.md as it stands, memory without bounds checks, studies
	@$(PY) -m pytest -q -m soak $(ARGS)
	@NUMBA_DISABLE_JIT=1 $(PY) -m pytest -q -m nojit --seeds 20 -k seed $(WORKERS) tests

check: format lint types layers tidy docs test  ## format, lint, types, layers, tidy, docs, tests

format: $(READY)  ## check the formatting
	@$(BIN)/ruff format --check $(CODE)

lint: $(READY)  ## check the code with ruff
	@$(BIN)/ruff check $(CODE)

types: $(READY)  ## check the types, strictly
	@$(BIN)/mypy

layers: $(READY)  ## check that every import goes down
	@$(PY) -m pytest -q tests/test_layers.py

tidy: $(READY)  ## check sizes and what is banned below the line
	@$(PY) -m pytest -q tests/test_tidy.py

docs: $(READY)  ## check links and that every command and reason is documented
	@$(PY) -m pytest -q --lite tests/test_docs.py

bench: $(READY)  ## measure ours beside the peers, parity first; writes docs/benchmarks.md
	@$(PY) -m benchmarks

bench-search: $(READY)  ## measure the search beside pandas, polars and gplearn, a million rows
	@$(PY) -m benchmarks.search

bench-statistics: $(READY)  ## measure the dear statistics of a search beside vetted and scikit-learn
	@$(PY) -m benchmarks.statistics

bench-journal: $(READY)  ## records made durable while 512 wait, beside SQLite and the bare disk
	@$(PY) -m benchmarks.journal $(ARGS)

bench-recorder: $(READY)  ## rows made durable and loaded, beside the bare disk and the engine's own reader
	@$(PY) -m benchmarks.recorder
	@$(PY) -m benchmarks.loader $(ARGS)

bench-inputs: $(READY)  ## ready again from a checkpoint and a tail, and all decided again, beside reading and checking
	@$(PY) -m benchmarks.inputs $(ARGS)

bench-service: $(READY)  ## the service's way of an intent beside a bare asyncio.Queue
	@$(PY) -m benchmarks.service $(ARGS)

ledger-soak: $(READY)  ## 100 000 ledger appends by 4 processes that are killed at random
	@$(PY) -m benchmarks.ledger_soak $(ARGS)

advice-check: $(READY)  ## apply the advice of refused runs, repeat them, count what is still refused
	@$(PY) -m benchmarks.advice_check $(ARGS)

mutations: $(READY)  ## plant faults in recordings: found, harmless, or another market that could be
	@$(PY) -m benchmarks.mutations $(ARGS)

leak-lists: $(READY)  ## put five lists, 204 leaks and 192 innocents, before Gate A; ends with 1 where one is judged otherwise than told
	@failed=0; for list in lists unseen third fourth fifth; do \
	  $(PY) -m tests.research.leakage.$$list.judged $(ARGS) || failed=1; \
	done; exit $$failed

random-runs: $(READY)  ## read 500 random runs for sentinels, NaN and infinity
	@$(PY) -m benchmarks.random_runs $(ARGS)

governance-study: $(READY)  ## simulate what governance promises; writes docs/governance-study.md
	@OPENBLAS_NUM_THREADS=1 $(PY) -m benchmarks.governance_study

fuzz: $(READY)  ## soak the simulation tests over many seeds (FUZZ_SEEDS=200)
	@NUMBA_BOUNDSCHECK=1 $(PY) -m pytest -q tests --seeds $(FUZZ_SEEDS) -k "simulation or fuzz" $(ARGS)

# `SEED=n` plays one scenario again, twice, and prints the end of a violation; `make soak-crash` 10 000.
fuzz-crash: $(READY)  ## seeded crashes of gateway, disk, wire and venue (CRASH_SEEDS=3000, SEED=n for one)
	@$(PY) -m tests.simulation.chaos $(if $(SEED),--seed $(SEED),--seeds $(CRASH_SEEDS)) $(ARGS)

soak-crash: $(READY)  ## the same, 10 000 scenarios
	@$(PY) -m tests.simulation.chaos --seeds 10000 $(ARGS)

kill-drill: $(READY)  ## kill -9 a trading gateway 200 times beside a venue that lives on (ARGS=number)
	@$(PY) -m tests.services.kill_drill $(ARGS)

attacks: $(READY)  ## every attack of an alpha's author against the installed command, on years without edge
	@$(PY) tests/attacks/command.py $(ARGS)

answer-key: $(READY)  ## how often unseen noise refuses an answer key at the approval, by what it claims
	@$(PY) tests/attacks/odds.py $(ARGS)

fuzz-engine: $(READY)  ## random markets in the engine and in its twin (ENGINE_MARKETS=200000, 2 processes)
	@MALLOC_MMAP_THRESHOLD_=131072 NUMPY_MADVISE_HUGEPAGE=0 \
		$(PY) -m tests.simulation.fuzz_engine --markets $(ENGINE_MARKETS)

fuzz-engine-recorded: $(READY)  ## the engine and its twin on ten minutes of every recorded tape, four strategies, every queue
	@$(PY) -m tests.simulation.recorded_twin $(ARGS)

fuzz-engine-coverage: $(READY)  ## lines of the simulated venue that random markets run, in plain Python
	@NUMBA_DISABLE_JIT=1 $(PY) -m tests.simulation.venue_coverage

bless: $(READY)  ## rewrite the golden digests; the commit says why they moved
	@$(PY) -m pytest -q tests/golden --bless $(ARGS)

notebooks: kernels  ## execute the notebooks and write their outputs (ARGS='01 12' for some)
	@NUMBA_BOUNDSCHECK=1 $(PY) -W ignore tests/notebook_outputs.py $(ARGS)

fix: $(READY)  ## format the code and apply safe lint fixes
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

reference: $(READY)  ## rewrite the generated pages of docs/reference
	@$(PY) -m hft.cli.reference docs/reference

sessions: $(READY)  ## make the table of exchange sessions again, from exchange_calendars
	@$(PY) tests/session_table.py

wheel: $(READY)  ## build dist/*.whl with kernels compiled for any x86-64 processor
	@$(PY) tests/prebuilt.py
	@$(PY) -m hatchling build -t wheel -d dist

lock: $(READY)  ## resolve pyproject.toml again into requirements.lock (needs uv, taken from the index)
	@$(PY) -m pip install -q uv
	@{ sed -n '/^#/!q;p' requirements.lock; $(BIN)/uv pip compile pyproject.toml --universal \
		--python-version 3.11 --generate-hashes --extra dev --extra notebook \
		--extra embedded --extra cluster --extra rl --extra oracles --upgrade -q \
		--no-header --no-emit-index-url --no-emit-find-links; } > requirements.lock.new
	@mv requirements.lock.new requirements.lock

setup: $(READY)  ## only make .venv

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "hft needs Python 3.11 or later; name one: make PYTHON=python3.12"; exit 1; }
	@test -x $(PY) || { echo "== making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "== installing the pinned packages into $(VENV) (once)"
	@$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-compile --require-hashes \
		-r requirements.lock
	@$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

clean:  ## remove caches; keeps .venv and runs
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find hft tests -name __pycache__ -type d -prune -exec rm -rf {} +
