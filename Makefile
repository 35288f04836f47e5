# Every target sets up its own environment in .venv; all that is needed beforehand is Python >= 3.11 and make.
#   make run     one nightly recalculation of today, from the facts in this repository
#   make test    the tests
#   make help    the other targets
# Choose the interpreter with PYTHON=python3.12; pass options to the run with ARGS="--as-of 2025-06-01".

PYTHON ?= python3
ARGS ?=
OUT ?= curbline-data
WORKERS ?= auto
UV ?= uv

# As the command line does for itself: the systems solved are small, and threads that wait for a busy core cost minutes.
export OPENBLAS_NUM_THREADS := 1

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.ready
PIP := $(PY) -m pip --disable-pip-version-check -qq
# The environment names its checkout, so that a copied folder makes its own instead of running the original's code.
MADE_FOR := $(shell cat $(STAMP) 2>/dev/null)
ifneq ($(MADE_FOR),$(CURDIR))
STALE := stale
CLEAR := $(if $(MADE_FOR),--clear)
endif

.DEFAULT_GOAL := help
.PHONY: help setup run demo test test-ui check check-format check-lint check-types check-floors check-rules check-facts \
	check-docs check-wheel dictionary backtest format bench lock audit sbom clean stale

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make the environment, without running anything

$(STAMP): requirements.lock pyproject.toml $(STALE)
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not installed; name an interpreter with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $(PYTHON) is $$($(PYTHON) --version 2>&1); Curbline needs Python 3.11 or newer. Name one with PYTHON=..." >&2; exit 1; }
	@echo "Setting up $(VENV) (once; about a minute) ..."
	@$(PYTHON) -m venv $(CLEAR) $(VENV) || { echo "make: the venv module is missing; on Debian and Ubuntu install python3-venv" >&2; exit 1; }
	@$(PIP) install --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@printf '%s' '$(CURDIR)' > $(STAMP)

# Exit code 10 is a published run with warnings, which the summary shows; everything else is a failure.
run: $(STAMP) ## facts -> scores -> published file -> exports
	@$(VENV)/bin/curbline run --out $(OUT) $(ARGS) || { code=$$?; [ $$code -eq 10 ] || exit $$code; }
	@echo
	@echo "Published file  $(OUT)/curbline.duckdb  (any DuckDB client from 1.5 opens it, read-only)"
	@echo "Tables          $(OUT)/exports/  (CSV, Parquet and a workbook, one folder per run)"
	@echo "Ask why         $(VENV)/bin/curbline explain gallium refined CHN USA --out $(OUT)"

demo: $(STAMP) ## a fictional company's purchases, from its file to spend at risk, in ./curbline-demo
	@$(VENV)/bin/curbline portfolio add demo --out curbline-demo --rejected curbline-demo.rejected.csv || [ $$? -eq 10 ]
	@$(VENV)/bin/curbline run --out curbline-demo $(ARGS) || [ $$? -eq 10 ]
	@echo "Workbook  curbline-demo/risk/latest/risk_all.xlsx  (tables as CSV and Parquet beside it)"

test: $(STAMP) ## the tests, on every core
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not ui" $(ARGS)

# Exit code 5 means that no test is marked ui.
test-ui: $(STAMP) ## the tests that need Chromium or LibreOffice; what is skipped is counted and named
	@$(PY) -m pytest -m ui -rs $(ARGS) || { code=$$?; [ $$code -eq 5 ] || exit $$code; }

check: check-format check-lint check-types check-floors check-rules check-facts check-docs check-wheel ## everything but the tests

check-format: $(STAMP) ## layout of the code
	@$(PY) -m ruff format --check .

check-lint: $(STAMP) ## ruff
	@$(PY) -m ruff check .

check-types: $(STAMP) ## mypy, strict
	@$(PY) -m mypy

check-floors: $(STAMP) ## engine and warehouse never meet, jobs stands on both
	@$(VENV)/bin/lint-imports

check-rules: $(STAMP) ## every static check of the rules, their layout, and their inline tests
	@$(VENV)/bin/curbline rules check
	@$(VENV)/bin/curbline rules fmt --check
	@$(VENV)/bin/curbline rules test
	@$(VENV)/bin/curbline rules check --rules rules/methods/geopolrisk
	@$(VENV)/bin/curbline rules fmt --check --rules rules/methods/geopolrisk
	@$(VENV)/bin/curbline rules test --rules rules/methods/geopolrisk

check-facts: $(STAMP) ## every row of the embedded facts
	@$(VENV)/bin/curbline facts check warehouse/facts --alone --strict

check-docs: $(STAMP) ## the documentation tells what the program does
	@$(PY) -m pytest -q -n $(WORKERS) tests/docs

check-wheel: $(STAMP) ## build the wheel, look inside, run it away from the checkout
	@$(PY) .ci/check_wheel.py

dictionary: $(STAMP) ## write docs/data-dictionary.md from the comments of the tables, and docs/rules from the rules
	@$(PY) -c 'from warehouse.published.dictionary import data_dictionary; print(data_dictionary(), end="")' > docs/data-dictionary.md
	@$(VENV)/bin/curbline rules pages docs/rules --rules rules

backtest: $(STAMP) ## write docs/backtest.md: what happened under curbs, against what would have been said
	@$(VENV)/bin/curbline backtest > docs/backtest.md.new
	@mv docs/backtest.md.new docs/backtest.md

format: $(STAMP) ## lay out the code and the rules, and mend what ruff can
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .
	@$(VENV)/bin/curbline rules fmt

bench: $(STAMP) ## time and memory of a whole run, and of rules and scoring against scripts by hand
	@$(PY) -m bench.run $(ARGS)
	@$(PY) -m bench.rules
	@$(PY) -m bench.parity

# The lock holds names, versions, markers and hashes for Linux and macOS, and never an index address.
lock: ## resolve requirements.lock anew (needs uv: pip install uv)
	@command -v $(UV) >/dev/null || { echo "make: lock needs uv (pip install uv), or name it with UV=path" >&2; exit 1; }
	@$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --fork-strategy fewest --upgrade \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o requirements.lock.new
	@if grep -nE '://|^--' requirements.lock.new; then echo "make: an index address came into the lock; not taken" >&2; exit 1; fi
	@{ echo "# Resolved from pyproject.toml by \`make lock\`; do not edit by hand."; cat requirements.lock.new; } > requirements.lock
	@rm requirements.lock.new

# Tools of their own environment, so that what audits the lock is no part of it. Both ask the package index.
TOOLS := build/tools
$(TOOLS): Makefile
	@$(PYTHON) -m venv --clear $@
	@$@/bin/python -m pip --disable-pip-version-check -qq install pip-audit==2.10.1 cyclonedx-bom==7.5.0
	@touch $@

# --strict: a package that the database does not answer about fails the audit instead of passing it in silence.
audit: $(TOOLS) ## known vulnerabilities of the locked packages; for a schedule, not for `make test`
	@$(TOOLS)/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

sbom: $(TOOLS) ## build/curbline.cdx.json: the locked packages with their hashes, as CycloneDX
	@$(TOOLS)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
		--output-file build/curbline.cdx.json requirements.lock 2>/dev/null
	@echo "build/curbline.cdx.json: $$(grep -c '"purl"' build/curbline.cdx.json) packages"

clean: ## remove the environment, caches and builds; run results stay
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
