# Everything one does here is a verb of this file; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000
DATA_DIR ?= data
SECONDS ?= 600
export PORT DATA_DIR
# On a terminal pip shows how far it is; in a log one line before is enough.
PIP_INSTALL = $(BIN)/pip install $(if $(MAKE_TERMOUT),,--quiet) --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup demo run check format lint types house test test-oldest fuzz schema browser migrations messages collect docs wheel bench clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: messages ## a whole demo chain on http://127.0.0.1:8000 (PORT=, DATA_DIR=)
	@$(BIN)/changke demo --data "$(DATA_DIR)" --port "$(PORT)"

run: messages ## your own chain: database, site and worker
	@$(BIN)/changke up --data "$(DATA_DIR)" --port "$(PORT)"

setup: .venv/dev.done ## everything that tests and checks need
	@$(BIN)/pre-commit install >/dev/null 2>&1 || true

check: .venv/dev.done format lint types house ## what every change must pass, besides the tests

format: .venv/dev.done
	$(BIN)/ruff format --check .

lint: .venv/dev.done
	$(BIN)/ruff check .
	$(BIN)/typos

types: .venv/dev.done
	$(BIN)/mypy

house: .venv/dev.done ## the shape of the house: who may import whom, migrations named and complete
	$(BIN)/lint-imports --no-cache
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m scripts.check_migration_names

test: .venv/dev.done .venv/browser.done .venv/spark.done messages ## all tests: real PostgreSQL, real browser; EXAMPLES=20 tries more
	EXAMPLES=$(EXAMPLES) PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-oldest: .venv/dev.done messages ## definitions, facts and an installation on the oldest PostgreSQL (apt install postgresql-15)
	POSTGRESQL=15 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile tests/profiles tests/facts tests/foundation tests/interfaces/test_any_postgresql.py

fuzz: .venv/dev.done ## throw bytes at the readers, each target for SECONDS= (600); crashes stay in tests/fuzz/corpus
	@for target in delimited workbook sources values; do $(BIN)/python -m tests.fuzz $$target --seconds $(SECONDS) || exit 1; done
	@$(BIN)/python -m tests.fuzz.fuzz_webhooks --seconds $(SECONDS)

schema: .venv/dev.done ## ask every route of the API in thousands of ways, as each role: FOLDER= CASES=
	$(BIN)/python -m tests.interfaces.api.schema "$(or $(FOLDER),$(DATA_DIR))" --cases $(or $(CASES),40)

browser: .venv/dev.done .venv/browser.done messages ## only the pages in a real browser
	$(BIN)/python -m pytest tests/browser

migrations: .venv/dev.done ## make the migration of a change: NAME=what_it_is_for APP=facts
	$(BIN)/python manage.py makemigrations $(APP) -n $(NAME)

messages: .venv/server.done ## compile the words in their languages
	@$(BIN)/python -m scripts.messages compile

collect: .venv/server.done ## write new words into the catalogues, to be translated
	@$(BIN)/python -m scripts.messages collect

docs: .venv/dev.done ## write docs/reference and the notebooks from the code
	@$(BIN)/python -m scripts.reference
	@$(BIN)/python -m scripts.notebooks

wheel: .venv/dev.done messages ## the installable package, words compiled, into dist/
	$(BIN)/python -m build --wheel --no-isolation

bench: .venv/dev.done ## measure what we claim (long): prints the tables of docs/benchmarks.md
	$(BIN)/python -m benchmarks

clean: ## remove what can be made again; the data folder stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or newer is needed. As root: apt install python3; or another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "This Python cannot make virtual environments. As root: apt install python3-venv" >&2; exit 1; }
	@echo "Making the virtual environment .venv (once) ..."
	@$(PYTHON) -m venv .venv

.venv/server.done: requirements/server.lock pyproject.toml | .venv/bin/python
	@echo "Installing what Changke needs (once) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements/server.lock
	@$(PIP_INSTALL) --no-build-isolation --no-deps -e .
	@touch $@

.venv/dev.done: .venv/server.done requirements/dev.lock
	@echo "Installing what tests and checks need (once) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@

.venv/browser.done: .venv/dev.done
	@scripts/install_browser.sh
	@touch $@

.venv/spark.done: .venv/dev.done requirements/spark.lock
	@scripts/install_spark.sh $(BIN)
	@touch $@
