# Every target sets up what it needs by itself: python 3.11+, make and node are enough.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
DISTRIBUTIONS := libs/faststream-sqs libs/common services/ingest services/archiver services/forecaster services/alerter services/api deploy/local
SOURCES := libs services deploy tests benchmarks

$(BIN)/.bootstrap: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Sensorcast needs Python 3.11 or later: set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(BIN)/.installed: $(BIN)/.bootstrap requirements/dev.txt $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))
	@echo "Installing dependencies (once) ..."
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(addprefix -e ,$(DISTRIBUTIONS))
	@touch $@

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: $(BIN)/.installed ## Make the environment in .venv

.PHONY: up
up: install ## Run everything on this machine (ARGS="--broker mqtt://host:1883" and the like)
	@exec $(BIN)/sensorcast up $(ARGS)

.PHONY: test
test: install mosquitto ## Run every test (ARGS="-k name" and the like)
	$(BIN)/pytest $(ARGS)

.PHONY: lint
lint: install ## Check format, style, types and imports
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports

.PHONY: format
format: install ## Format and fix what can be fixed
	$(BIN)/ruff check --fix --quiet $(SOURCES) || true
	$(BIN)/ruff format $(SOURCES)

.PHONY: lock
lock: $(BIN)/.bootstrap ## Resolve the lock files anew
	@$(BIN)/python requirements/lock.py

.PHONY: mosquitto
mosquitto: ## Install Mosquitto where this runs as root on Debian; tests that need it are skipped elsewhere
	@command -v mosquitto >/dev/null || test -x /usr/sbin/mosquitto \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && apt-get -qq install --yes --no-install-recommends mosquitto >/dev/null; } \
	|| echo "Mosquitto is not installed; the tests that need it will be skipped."

.PHONY: clean
clean: ## Remove the environment and the local state
	rm -rf $(VENV) .sensorcast
