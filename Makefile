# What a person does with this checkout. `make demo` and `make test` need Python 3.11, git and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SHELL := /bin/bash
# Several hosts with a Kafka of their own want the machine without the broker of the other tests.
WITHOUT_HOSTS := --ignore=tests/integration/joining
# What touches nothing is shared out; whoever starts processes of its own has all cores for itself.
ON_ALL_CORES := -n logical
# A whole cluster on one machine, which needs root: `make stories-of-hosts`.
WITHOUT_STORIES_OF_HOSTS := --ignore=tests/acceptance/hosts
# Real processes on a busy machine may miss a deadline, seldom twice; a third miss is a failure.
RERUNS := --reruns 2
# Switching every rule off in turn takes longer than all other simulations: `make rules`.
WITHOUT_RULES := --ignore=tests/simulation/cluster/test_cluster_mutations.py

.DEFAULT_GOAL := help
.PHONY: rules hosts help install demo cluster test check format lint types contracts unit simulation simulate integration acceptance bench clean stories-of-hosts

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install: $(INSTALLED) ## Make .venv and install Kirby with all that its tests need

$(INSTALLED): pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Kirby needs Python 3.11 or later; {sys.executable} is {v.major}.{v.minor}: run make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8'
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[server,postgresql,embedded,dev]'
	@touch $@

demo: ## Run the bakery: five scripts, a real Kafka, the pages; Ctrl-C stops it
	@test -f $(INSTALLED) || echo "making .venv (once) …"
	@$(MAKE) --no-print-directory --silent $(INSTALLED)
	@$(BIN)/kirby demo

cluster: $(INSTALLED) ## Run the bakery on three hosts of this machine; Ctrl-C stops them
	@$(BIN)/kirby demo --hosts 3

test: $(INSTALLED) ## Run the tests that run anywhere: pure ones, and those with real Kafka and processes
	$(BIN)/pytest -q $(ON_ALL_CORES) tests/unit
	$(BIN)/pytest -q tests/simulation $(WITHOUT_RULES)
	$(BIN)/pytest -q tests/integration $(WITHOUT_HOSTS) $(RERUNS)
	$(BIN)/pytest -q tests/integration/joining $(RERUNS)

check: format lint types contracts unit simulation ## Format, lint, types, import contracts, fast tests

format: $(INSTALLED)
	$(BIN)/ruff format --check .

lint: $(INSTALLED)
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

contracts: $(INSTALLED)
	$(BIN)/lint-imports

unit: $(INSTALLED) ## Run the pure tests, on all cores
	$(BIN)/pytest -q $(ON_ALL_CORES) tests/unit

simulation: $(INSTALLED) ## Run the seeded simulations, some hundred histories of each
	$(BIN)/pytest -q tests/simulation $(WITHOUT_RULES)

rules: $(INSTALLED) ## Switch each rule off and see which checker misses it, on all cores
	$(BIN)/pytest -q -n auto tests/simulation/cluster/test_cluster_mutations.py

HISTORIES ?= 3000
FIRST ?= 0
WORKERS ?= 0

simulate: $(INSTALLED) ## Run the whole core through HISTORIES seeded histories, from seed FIRST, by WORKERS processes
	$(BIN)/python -m tests.simulation.cluster --histories $(HISTORIES) --first $(FIRST) --workers $(WORKERS)

integration: $(INSTALLED) ## Run the tests with real Kafka, databases and processes
	$(BIN)/pytest -q tests/integration $(WITHOUT_HOSTS) $(RERUNS)
	$(BIN)/pytest -q tests/integration/joining $(RERUNS)

hosts: $(INSTALLED) ## Run the tests with several hosts on this machine; those with networks need root
	$(BIN)/pytest -q tests/integration/joining $(RERUNS)

acceptance: $(INSTALLED) ## Run the stories: the command line and the whole system
	$(BIN)/pytest -q tests/acceptance $(WITHOUT_STORIES_OF_HOSTS) $(RERUNS)

stories-of-hosts: $(INSTALLED) ## Run the stories of several hosts with networks of their own; needs root
	$(BIN)/pytest -q tests/acceptance/hosts $(RERUNS)

bench: $(INSTALLED) ## Run the benchmarks; each prints its figure beside a limit measured in the same run
	$(BIN)/python -m benchmarks

clean: ## Remove .venv and caches; the state folder .kirby stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist
