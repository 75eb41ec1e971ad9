# Two commands: `make run` shows the room repainted, `make test` proves that it works.
# Everything lives in .venv here and in the user's data folder; nothing is installed elsewhere (but Debian's Chromium, by
# `make test`, as root, where there is none).

VENV  := .venv
BIN   := $(VENV)/bin
PIECE ?= mirror
ARGS  ?=
TESTS ?=

.PHONY: run test bench install clean help docs pins lint
.DEFAULT_GOAL := help

help: ## these lines
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

run: $(VENV)/.run ## the show: installs, fetches the weights, opens http://127.0.0.1:8765/ (PIECE=mirror, ARGS=...)
	@$(BIN)/pleinair fetch $(PIECE)
	@exec $(BIN)/pleinair run $(PIECE) $(ARGS)

test: $(VENV)/.test ## installs what the tests need, and runs them (TESTS=tests/core)
	@sh tools/programs.sh
	@$(BIN)/python -m pytest $(TESTS)

bench: $(VENV)/.all ## the figures of docs/performance.md, measured here
	@$(BIN)/python -m bench $(ARGS)

install: $(VENV)/.all ## only .venv, with all that the tests and the bench need

docs: $(VENV)/.run ## writes docs/cli.md again from the help texts, and the table of docs/licences.md from the terms
	@$(BIN)/python -m pleinair.cli.docs > docs/cli.md.new && mv docs/cli.md.new docs/cli.md
	@$(BIN)/python -m pleinair.licence.table docs/licences.md

lint: $(VENV)/.all ## ruff
	@$(BIN)/ruff check .

pins: ## writes requirements/*.txt again: exact versions with hashes, for this platform and Python
	@$(BIN)/python tools/pin.py

clean: ## removes .venv and what was built; weights stay in the user's data folder
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis tests/shots bench/out
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# A stamp for each set of extras: made again when pyproject.toml says something else.

$(BIN)/python:
	@sh tools/venv.sh $(VENV)

$(VENV)/.run: pyproject.toml | $(BIN)/python
	@sh tools/install.sh $(VENV)
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	@sh tools/install.sh $(VENV) test
	@touch $@ $(VENV)/.run

$(VENV)/.all: pyproject.toml | $(BIN)/python
	@sh tools/install.sh $(VENV) test,bench,dev
	@touch $@ $(VENV)/.run $(VENV)/.test
