# Every target sets up what it needs by itself: python 3.11+, make and node are enough.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
DISTRIBUTIONS := libs/faststream-sqs libs/common libs/rules services/ingest services/archiver services/forecaster services/alerter services/api deploy/local
SOURCES := libs services deploy tests benchmarks

WEB := services/api/web
PAGE := services/api/src/sensorcast_api/page
WEB_SOURCES := $(addprefix $(WEB)/,index.html package.json package-lock.json tsconfig.json vite.config.ts) $(shell find $(WEB)/src $(WEB)/public -type f)
# Vite needs this version of Node.js; everything but the page works without.
NODE := node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)' 2>/dev/null

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
up: install web ## Run everything on this machine (ARGS="--broker mqtt://host:1883" and the like)
	@exec $(BIN)/sensorcast up $(ARGS)

.PHONY: test
test: install web mosquitto chromium helm promtool ## Run every test (ARGS="-k name" and the like)
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

.PHONY: openapi
openapi: install ## Write services/api/openapi.json, unless that would break clients (ARGS=--breaking where it is meant)
	@$(BIN)/python -m tests.services.api.openapi_document $(ARGS)

.PHONY: fuzz-api
fuzz-api: install ## Look for answers of the API that its document does not allow (ARGS="--max-examples 500" and the like)
	@$(BIN)/python -m tests.services.api.fuzz --phases examples,coverage,fuzzing,stateful --max-examples 50 \
	--continue-on-failure $(ARGS)

.PHONY: lint
lint: install ## Check format, style, types and imports
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports
	@if $(NODE); then $(MAKE) -s --no-print-directory $(WEB)/node_modules/.installed && cd $(WEB) && npm run --silent check; \
	else echo "Node.js 20.19 or later is not installed; the page's sources are not checked."; fi

.PHONY: format
format: install ## Format and fix what can be fixed
	$(BIN)/ruff check --fix --quiet $(SOURCES) || true
	$(BIN)/ruff format $(SOURCES)

.PHONY: lock
lock: $(BIN)/.bootstrap ## Resolve the lock files (ARGS=--upgrade takes newer versions)
	@$(BIN)/python requirements/lock.py $(ARGS)

.PHONY: web
web: ## Build the web page, where its sources have changed
	@if $(NODE); then $(MAKE) -s --no-print-directory $(PAGE)/index.html; \
	else echo "Node.js 20.19 or later is not installed; the API runs without its page."; fi

$(WEB)/node_modules/.installed: $(WEB)/package.json $(WEB)/package-lock.json
	@echo "Installing what builds the page (once) ..."
	@cd $(WEB) && npm ci --silent --no-audit --no-fund
	@touch $@

$(PAGE)/index.html: $(WEB)/node_modules/.installed $(WEB_SOURCES)
	@cd $(WEB) && npm run --silent build -- --logLevel warn

.PHONY: screenshots
screenshots: install web chromium ## Take the pictures in docs/images from the fleet that `make up` runs
	@$(BIN)/python -m tests.services.api.page.take_screenshots $(ARGS)

.PHONY: chromium
chromium: ## Install Chromium where this runs as root on Debian; tests of the page are skipped elsewhere
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && apt-get -qq install --yes --no-install-recommends chromium >/dev/null; } \
	|| echo "Chromium is not installed; the tests of the page will be skipped."

.PHONY: mosquitto
mosquitto: ## Install Mosquitto where this runs as root on Debian; tests that need it are skipped elsewhere
	@command -v mosquitto >/dev/null || test -x /usr/sbin/mosquitto \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && apt-get -qq install --yes --no-install-recommends mosquitto >/dev/null; } \
	|| echo "Mosquitto is not installed; the tests that need it will be skipped."

# Go where it is on the PATH, or where its own installer puts it.
GO := $(firstword $(wildcard /usr/local/go/bin/go) $(shell command -v go 2>/dev/null))

.tools/bin/helm: deploy/k8s/tools/go.mod deploy/k8s/tools/go.sum
	@echo "Building helm and helm-unittest (once, a few minutes) ..."
	@mkdir -p .tools/bin
	@cd deploy/k8s/tools && CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o ../../../.tools/bin/ tool
	@touch $@

.PHONY: helm
helm: ## Build Helm where Go 1.26 or later is installed; tests of the chart are skipped elsewhere
	@if [ -n "$(GO)" ]; then $(MAKE) -s --no-print-directory .tools/bin/helm; \
	else echo "Go is not installed; the tests of the Helm chart will be skipped."; fi

.PHONY: promtool
promtool: ## Install promtool where this runs as root on Debian; tests of the alert rules are skipped elsewhere
	@command -v promtool >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && apt-get -qq install --yes --no-install-recommends prometheus >/dev/null; } \
	|| echo "promtool is not installed; the tests of the alert rules will be skipped."

.PHONY: manifests
manifests: install helm ## Render deploy/k8s/manifests from the chart
	@$(BIN)/python -m tests.deploy.k8s.render

.PHONY: dockerfiles
dockerfiles: install ## Render the Dockerfiles from deploy/images
	@$(BIN)/python -m tests.deploy.images.render

.PHONY: scale
scale: install ## Compute docs/scale.md: limits, replicas and dollars at three sizes
	@$(BIN)/python -m benchmarks.scale $(ARGS)

.PHONY: release
release: install web helm ## Make a release: version, changelog, wheels, chart and SBOMs in dist/ (ARGS=0.2.0)
	@$(BIN)/python requirements/release.py $(ARGS)

.PHONY: check-images
check-images: install mosquitto ## Carry out the Dockerfiles without a container engine (root on Linux; ARGS="ingest" for one)
	@$(BIN)/python -m tests.deploy.images.check_images $(ARGS)

.PHONY: check-compose
check-compose: install mosquitto ## Build the images and run compose.yaml on a Docker engine of its own (root on Linux; ARGS=--pull: real base images)
	@$(BIN)/python -m tests.deploy.compose.check_compose $(ARGS)

.PHONY: bench-api
bench-api: install mosquitto ## Measure the API: requests beside a bare handler, idle streams, MQTT to stream
	@$(BIN)/python -m benchmarks.api_load $(ARGS)

.PHONY: bench-page
bench-page: install web mosquitto chromium ## Measure the page: MQTT to the drawn chart, frames of a large fleet
	@$(BIN)/python -m benchmarks.page_load $(ARGS)

.PHONY: bench-lake
bench-lake: install ## Measure the lake: bytes per reading, rows per second, write units (ARGS="--data DIR" adds real files)
	@$(BIN)/python -m benchmarks.lake $(ARGS)

.PHONY: bench-alerts
bench-alerts: install ## Measure how many readings a second the alerter looks at (ARGS="--seconds 60")
	@$(BIN)/python benchmarks/alerter_load.py $(ARGS)

.PHONY: bench-faults
bench-faults: install mosquitto ## Strike everything at random and compare what is kept with what was sent (ARGS="--minutes 10 --seed 1")
	@$(BIN)/python -m benchmarks.faults $(ARGS)

.PHONY: bench-alert-delay
bench-alert-delay: install mosquitto ## Measure how long a breach takes to SNS at 2,000 readings a second (ARGS="--seconds 120")
	@$(BIN)/python -m benchmarks.alert_delay $(ARGS)

.PHONY: bench-forecast
bench-forecast: install ## Measure forecasts against their targets (DATA=folder with the measurements, ARGS="--origins 50")
	@test -n "$(DATA)" || { echo "Say where the measurements are: make bench-forecast DATA=folder (docs/forecasting.md names the files)"; exit 2; }
	@$(BIN)/python benchmarks/forecast.py --data "$(DATA)" $(ARGS)

.PHONY: clean
clean: ## Remove the environment and the local state
	rm -rf $(VENV) .tools .sensorcast
