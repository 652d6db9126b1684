# wgtui. `make` alone says what there is. Longer recipes live in .ci/setup.

bin := .venv/bin
lab := tests/kernel/kernel-lab.sh
# In the lab's emulated processor every import counts: only the plugin that pyproject.toml speaks of.
lean := PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 $(lab) -- $(bin)/python -m pytest -p pytest_asyncio.plugin

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-fast check lab fuzz bench screenshots clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: ## look at an invented host full of mistakes (Python 3.11+; no root, nothing is changed)
	@.ci/setup run
	@$(bin)/wgtui --demo

test: ## everything: format, lint, types, layers, tests here, WireGuard tests in the lab (root)
	@.ci/setup packages
	@$(MAKE) --no-print-directory check
	$(bin)/pytest -n 2 -m 'not wireguard and not lab'
	@$(MAKE) --no-print-directory lab

test-fast: check ## the same without root: no namespaces, no lab
	$(bin)/pytest -n 2 -m 'not kernel and not wireguard and not lab'

check: ## format, lint, types, layers; no tests
	@.ci/setup dev
	$(bin)/ruff format --check
	$(bin)/ruff check
	$(bin)/mypy
	$(bin)/lint-imports --no-logo

lab: ## only the tests that need the kernel's own WireGuard (root)
	@.ci/setup packages
	@.ci/setup dev
	$(lean) -p no:cacheprovider -m 'wireguard or lab' tests/kernel

fuzz: ## 400,000 random questions to engine and running kernel, 5,000 predicted commands (root; an hour)
	@.ci/setup packages
	@.ci/setup dev
	$(bin)/python -m tests.kernel.fuzz --lookups 200000 --seed $(or $(SEED),1)
	$(bin)/python -m tests.kernel.fuzz.predict --commands 5000 --seed $(or $(SEED),1)

bench: ## how fast it is, as a table (root; ONLY="routes engine", KEEP=--keep; see benchmarks/README.md)
	@.ci/setup packages
	@.ci/setup dev
	$(bin)/python -m benchmarks $(KEEP) $(ONLY)

screenshots: ## draw the pictures of the README anew
	@.ci/setup dev
	$(bin)/python screenshots/make.py

clean: ## remove .venv and everything generated
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
