# Two commands do everything: `make up` runs the product, `make test` proves it.
# Each recipe calls one tool; what needs thought is Python (protonpay/stack).
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

# The first Python that is new enough; PYTHON= chooses another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON := $(or $(PYTHON),$(shell for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$python" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$python" && break; done))
BIN := .venv/bin
DOCUMENTS := tests/architecture/test_documents.py
T ?= tests
# One process more than cores, four at most: a journey waits more than it works, and each process
# has services of its own. One that is done takes from the others, or the last would end alone.
JOBS ?= -n $(shell cores=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((cores < 3 ? cores + 2 : 5))) --no-loadscope-reorder

##@ Run

.PHONY: help
help:  ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: python  ## Everything that running needs; does nothing the second time
	@$(PYTHON) -m protonpay.stack.install

.PHONY: up
up: install  ## The whole product in the foreground (PORT=8000, PROTONPAY_HOME=.protonpay)
	@$(BIN)/python -m protonpay.stack up --tied

.PHONY: demo
demo: install-dev  ## The main job against the running product, as a client would do it
	@$(BIN)/python examples/demo.py

##@ Check

.PHONY: test
test: install-dev  ## Every test, with services of its own (T=path for some)
	@$(BIN)/python -m pytest $(JOBS) $(T)

.PHONY: test-fast
test-fast: install-dev  ## The tests that need no processes of their own
	@$(BIN)/python -m pytest $(JOBS) -m "not slow" $(T)

.PHONY: looks
looks: install-dev  ## Pictures of every page in three languages, two themes, three widths (tests/browser/shots)
	@LOOKS=1 $(BIN)/python -m pytest -q -k whole tests/browser

.PHONY: check
check: format-check lint types imports test  ## All of the below, then the tests

.PHONY: format-check
format-check: install-dev  ## Is it formatted
	@$(BIN)/ruff format --check .

.PHONY: lint
lint: install-dev  ## ruff, all rules
	@$(BIN)/ruff check .

.PHONY: types
types: install-dev  ## mypy, strict
	@$(BIN)/mypy

.PHONY: imports
imports: install-dev  ## The floors: who may import whom
	@$(BIN)/lint-imports

.PHONY: cov
cov: install-dev  ## Which lines no test runs
	@$(BIN)/python -m pytest $(JOBS) --cov=protonpay --cov=workers --cov-report=term:skip-covered $(T)

.PHONY: migrations-check
migrations-check: install-dev  ## One head, forward only, equal to the models
	@$(BIN)/python -m pytest -q tests/architecture/test_migrations.py

.PHONY: audit-deps
audit-deps: install-dev  ## Declared = imported
	@$(BIN)/deptry .

.PHONY: bench
bench: install-dev  ## Measure: the ledger, HTTP, histories, the watch, the proof of liabilities, deliveries, payouts, pay pages
	@$(BIN)/python -m benchmarks.run
	@$(BIN)/python -m benchmarks.watch --many 100000 --blocks 10
	@$(BIN)/python -m benchmarks.proofs
	@$(BIN)/python -m benchmarks.webhooks --backlog 20000
	@$(BIN)/python -m benchmarks.payouts --single 12
	@$(BIN)/python -m benchmarks.pay_pages
	@$(BIN)/python -m benchmarks.first_look

.PHONY: chaos
chaos: install-dev  ## Much money while everything fails at random (PAYOUTS=500 SEED=1)
	@CHAOS_PAYOUTS=$(or $(PAYOUTS),500) CHAOS_SEED=$(or $(SEED),1) $(BIN)/python -m pytest -q tests/flows/test_chaos.py

##@ Write

.PHONY: format
format: install-dev  ## Format, and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: openapi
openapi: install-dev  ## docs/openapi.json, from the code
	@UPDATE_DOCS=1 $(BIN)/python -m pytest -q -k openapi $(DOCUMENTS)

.PHONY: api
api: install-dev  ## docs/api.md: its examples run, and filled in anew
	@UPDATE_DOCS=1 $(BIN)/python -m pytest -q tests/flows/test_reference.py

.PHONY: states
states: install-dev  ## docs/states.md, from the code
	@UPDATE_DOCS=1 $(BIN)/python -m pytest -q -k state $(DOCUMENTS)

.PHONY: checklist
checklist: install-dev  ## docs/checklist.md, from the marks of the tests
	@UPDATE_DOCS=1 $(BIN)/python -m pytest -q tests/architecture/test_checklist.py

.PHONY: lock
lock: install-dev  ## constraints.txt, resolved anew
	@$(BIN)/python -m protonpay.stack.lock

.PHONY: hooks
hooks: install-dev  ## Check format, lint, types and imports before each commit
	@$(BIN)/pre-commit install

.PHONY: clean
clean:  ## Remove what was installed and cached; the data in .protonpay stays
	@rm -rf .venv node_modules .browser .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Not for typing.

.PHONY: install-dev
install-dev: python
	@$(PYTHON) -m protonpay.stack.install --dev

.PHONY: python
python:
	@"$(or $(PYTHON),false)" -c '$(NEW_ENOUGH)' || { \
	echo "Proton Pay needs Python 3.11 or newer: install one, or name it: make PYTHON=..." >&2; exit 1; }
