# Everything a person or a CI job starts from. `make` alone says what there is.
#
# It needs Linux and Python 3.11 or later with its venv module; all else comes from wheels, with
# checked hashes, into .venv. Other Python: make test BASE_PYTHON=/usr/bin/python3.13

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test tests check style sense containers bench lock clean

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
LOCKS := deploy/locks
BASE_PYTHON ?= python3
# Each has a stack of its own, so more want memory as well as processors.
TEST_PROCESSES ?= 2
PACKAGES := workflows activities api worker deploy

# Company networks have certificates of their own, in the system's store. Exported, because skills
# are installed by uv as well.
export UV_SYSTEM_CERTS ?= 1

# The cache lies with what is linked from it, so that an unwritable home folder does not matter.
UV := env UV_CACHE_DIR=$(CURDIR)/$(VENV)/.cache $(VENV)/bin/uv --no-config
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--no-header --no-annotate --python-version 3.11 $(UPGRADE)

help: ## Say what there is
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(INSTALLED) ## Run a pipeline, an agent and a plan on real data, and stop
	@$(PYTHON) -m deploy.cli demo

# What takes long of the checks uses one processor only: it runs beside the tests.
test: style ## Run every check and every test, TEST_PROCESSES at a time
	@$(MAKE) --no-print-directory --jobs 2 sense tests

check: style sense ## Run ruff, mypy and import-linter

style: $(INSTALLED)
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check

sense: $(INSTALLED)
	@$(PYTHON) -m mypy
	@$(VENV)/bin/lint-imports

tests: $(INSTALLED)
	@$(PYTHON) -m pytest --numprocesses $(TEST_PROCESSES) --dist worksteal

containers: $(INSTALLED) ## Build the image with Docker, and test what is in it
	@$(PYTHON) -m pytest tests/containers

bench: $(INSTALLED) ## Run every benchmark: a quarter of an hour; PEERS=1 installs and runs others, too
	@$(PYTHON) -m tests.benchmarks $(if $(PEERS),--peers)

lock: $(VENV)/bin/uv ## Write the lock files anew; UPGRADE=--upgrade for newer versions
	@$(COMPILE) pyproject.toml -o $(LOCKS)/requirements.txt
	@$(COMPILE) pyproject.toml --group dev -c $(LOCKS)/requirements.txt \
		-o $(LOCKS)/requirements-dev.txt
	@echo uv | $(COMPILE) - -c $(LOCKS)/requirements.txt -o $(LOCKS)/bootstrap.txt

clean: ## Remove what these commands made; the data of `agentos up` stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(INSTALLED): pyproject.toml $(LOCKS)/requirements-dev.txt | $(VENV)/bin/uv
	@echo "Installing into $(VENV) ..." >&2
	@$(UV) pip sync --quiet --python $(PYTHON) --require-hashes --compile-bytecode \
		$(LOCKS)/requirements-dev.txt
	@$(UV) pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --editable .
	@$(PYTHON) -m compileall -q -f -j 0 --invalidation-mode checked-hash $(PACKAGES)
	@touch $@

$(VENV)/bin/uv:
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "AgentOS needs Python 3.11 or later, and $(BASE_PYTHON) is not that." \
			"Install one, and name it: make BASE_PYTHON=/path/to/python3" >&2; exit 1; }
	@$(BASE_PYTHON) -c 'import ensurepip, venv' || { \
		echo "$(BASE_PYTHON) cannot make virtual environments." \
			"On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(BASE_PYTHON) -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-cache-dir \
		--require-hashes -r $(LOCKS)/bootstrap.txt
