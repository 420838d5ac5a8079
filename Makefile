# Every target sets up what it needs first; nothing outside this folder is
# touched, save Debian packages for the tests when run as root.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Byte code that is written once is read by each process that follows.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
UV := PYTHONPATH=.tools UV_PYTHON_DOWNLOADS=never .tools/bin/uv --quiet

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# uv goes into a folder of its own: that works beside every Python, also one
# that its distribution guards against pip, and skips a slow ensurepip.
.tools/.stamp: requirements-tools.lock
	@echo "setting up the installer"
	@PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 $(PYTHON) -m pip install --quiet --require-hashes \
		--no-deps --upgrade --target .tools --requirement requirements-tools.lock
	@touch $@

.venv/bin/python: .tools/.stamp
	@test -x $@ || $(UV) venv --no-project --python "$$(command -v $(PYTHON))" .venv
	@touch $@

.venv/.runtime: .venv/bin/python requirements.lock pyproject.toml
	@echo "setting up the runtime"
	@$(UV) pip install --python $(BIN)/python --compile-bytecode --require-hashes --requirement requirements.lock
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	@echo "setting up the tests"
	@$(UV) pip install --python $(BIN)/python --compile-bytecode --require-hashes --requirement requirements-dev.lock
	@touch $@

.PHONY: setup
setup: .venv/.runtime ## install the service and its locked dependencies into .venv

.PHONY: setup-dev
setup-dev: .venv/.dev ## the same, with what the checks and tests need

.PHONY: demo
demo: setup ## run the whole job on a demo paper; ARGS="--site URL" uses a real one
	@$(BIN)/newsletter demo $(ARGS)

.PHONY: run
run: setup ## run the service with ./config.toml
	@$(BIN)/newsletter run $(ARGS)

.PHONY: check
check: setup-dev ## formatting, lint, types and the house's import rules
	@$(BIN)/ruff format --check newsletter tests bench docs
	@$(BIN)/ruff check newsletter tests bench docs
	@$(BIN)/mypy --num-workers 2
	@$(BIN)/lint-imports

.PHONY: packages
packages: ## Debian packages that the tests use: a browser, WordPress, Postfix
	@bash tests/packages.sh

.PHONY: archives
archives: ## source archives whose feeds and pages the tests read
	@PYTHON="$(PYTHON)" bash tests/archives.sh

.PHONY: npm
npm: setup-dev ## npm packages that the tests measure mails and pages with
	@bash tests/npm.sh

# Twice as many as two cores: half of the time a test waits for a browser or a server.
.PHONY: test
test: setup-dev packages archives npm check ## everything once, within ten minutes
	@$(BIN)/pytest -n 4 --dist worksteal -m "not long" $(ARGS)

.PHONY: test-long
test-long: setup-dev packages archives npm ## the long loops
	@$(BIN)/pytest -n 2 --dist loadfile -m long $(ARGS)

.PHONY: bench
bench: setup-dev ## print the figures of speed and memory
	@$(BIN)/python -m bench $(ARGS)

.PHONY: pictures
pictures: setup-dev packages ## take the README's pictures anew
	@$(BIN)/python -m docs.take_pictures

.PHONY: golden
golden: setup-dev ## write the mail that tests compare with anew
	@$(BIN)/python -m tests.rendering.golden

.PHONY: reference
reference: setup-dev ## write docs/config.md and docs/commands.md anew
	@$(BIN)/python -m docs.write_reference

.PHONY: messages
messages: setup-dev ## collect what readers see for translation; LANGUAGE=ar begins a new language
	@$(BIN)/python -m docs.write_messages $(LANGUAGE)

.PHONY: lock
lock: .tools/.stamp ## resolve the dependencies anew
	@$(UV) pip compile --universal --generate-hashes --no-header --no-annotate --upgrade pyproject.toml --group build -o requirements.lock
	@$(UV) pip compile --universal --generate-hashes --no-header --no-annotate --upgrade pyproject.toml --group build --group dev -o requirements-dev.lock
	@$(UV) pip compile --universal --generate-hashes --no-header --no-annotate --upgrade --no-deps --group tools -o requirements-tools.lock

.PHONY: clean
clean: ## remove what make has made
	@rm -rf .venv .tools .archives .npm .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
