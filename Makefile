# Two commands matter: `make check` while you work, `make test` before you push.

PYTHON ?= python3
PYTEST_WORKERS ?= 2
PYTEST = $(VENV)/bin/pytest --numprocesses=$(PYTEST_WORKERS)

VENV := .venv
STAMP := $(VENV)/.installed
FAST_SUITES := $(wildcard tests/style tests/unit tests/property)
SOURCES := $(wildcard src tests scripts benchmarks campaigns examples)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup servers demo check test lint types imports bench bench-wide bench-peers bench-page campaigns golden lock format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv from the hash-pinned locks (every other target does this by itself)

servers: $(STAMP) ## get the PostgreSQL versions that the tests need and no wheel carries
	@$(VENV)/bin/python scripts/servers.py

demo: $(STAMP) ## run a governed workflow here, from submission to receipt
	$(VENV)/bin/remit demo

check: lint types imports ## fast gate: format, lint, types, import contracts, style, unit and property tests
	$(PYTEST) $(FAST_SUITES)

test: servers lint types imports ## everything that CI runs: the fast gate and all other suites
	$(PYTEST) tests

lint: $(STAMP)
	$(VENV)/bin/ruff format --check $(SOURCES)
	$(VENV)/bin/ruff check $(SOURCES)

types: $(STAMP)
	$(VENV)/bin/mypy
	$(if $(wildcard tests/typing),$(VENV)/bin/basedpyright)

imports: $(STAMP)
	$(VENV)/bin/lint-imports --no-cache --no-logo

bench: $(STAMP) ## measure against the performance budget
	$(VENV)/bin/python -m benchmarks.run
	$(VENV)/bin/python -m benchmarks.plans

bench-wide: $(STAMP) ## measure Remit under load, beside a million past runs, with more workers and tenants (ONLY=history,workers)
	$(VENV)/bin/python -m benchmarks.wide $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS))

bench-page: $(STAMP) ## write docs/assurance/performance.md and its plots from what was measured
	$(VENV)/bin/python -m benchmarks.report

bench-peers: $(STAMP) ## measure Remit beside DBOS, LangGraph, Absurd and Restate (needs npm; ONLY=remit,dbos ROUNDS=N)
	$(VENV)/bin/python -m benchmarks.peers $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS))

campaign-%: $(STAMP) ## run a campaign at its full numbers (SEED=N SCALE=F), and record its figures in docs/assurance
	$(VENV)/bin/python -m campaigns $* $(if $(SEED),--seed $(SEED)) $(if $(SCALE),--scale $(SCALE))

campaign-fuzz: .cache/fuzzer/atheris

.cache/fuzzer/atheris: requirements-fuzz.lock | $(STAMP)
	$(PYTHON) scripts/environment.py fuzzer
	@touch $@

campaigns: $(STAMP) ## list the campaigns
	@$(VENV)/bin/python -c 'from campaigns.__main__ import names; print("\n".join(names()))'

golden: $(STAMP) ## record histories of this version beside those of earlier ones, which stay as they are
	$(VENV)/bin/python -m tests.golden record

lock: ## resolve the dependencies again and pin them by hash (UPGRADE=1 takes newer ones)
	$(PYTHON) scripts/environment.py lock $(if $(UPGRADE),--upgrade)

format: $(STAMP) ## format the sources and apply safe fixes
	$(VENV)/bin/ruff check --fix-only $(SOURCES)
	$(VENV)/bin/ruff format $(SOURCES)

clean: ## remove everything that can be made again
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last, so an interrupted installation is done again.
$(STAMP): requirements.lock requirements-bootstrap.lock pyproject.toml scripts/environment.py
	$(PYTHON) scripts/environment.py install
	@touch $@
