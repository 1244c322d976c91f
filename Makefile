# Everything a newcomer or a contributor types. Each target makes the environment it needs and reuses it afterwards;
# an environment is installed again only when pyproject.toml or constraints.txt changed.

PYTHON  ?= python3
WORKERS ?= 2
SHELL   := /bin/sh

# Relative, so that a checkout path with spaces works; `python -m` throughout for the same reason.
CORE := .venv-quickstart
DEV  := .venv
DEV_EXTRAS := ".[bo,data,dev,onnx,rl,rtl]"
core := $(CORE)/bin/python
dev  := $(DEV)/bin/python

.PHONY: help quickstart test test-slow lint types bench docs serve-docs clean
.DEFAULT_GOAL := help

help:
	@echo "make quickstart   search a DRAM controller on a real program's trace and write the report (a few minutes)"
	@echo "make test         lint, types, tests with coverage"
	@echo "make test-slow    the same with the tests that take minutes each"
	@echo "make bench        simulator speed"
	@echo "make docs         the documentation site, in site/"
	@echo "make clean        remove what the above left behind (environments too)"

# $(1): environment folder, $(2): what to install
define environment
	@command -v "$(PYTHON)" >/dev/null || { echo "error: '$(PYTHON)' not found; make PYTHON=/path/to/python3 (3.10 or newer)"; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	    echo "error: ArchGym needs Python 3.10 or newer, '$(PYTHON)' is $$("$(PYTHON)" -V 2>&1); make PYTHON=python3.12"; exit 2; }
	@test -x $(1)/bin/python || "$(PYTHON)" -m venv $(1)
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e $(2)
	@touch $(1)/.installed
endef

$(CORE)/.installed: pyproject.toml constraints.txt
	@echo "installing ArchGym into $(CORE) (first time only)"
	$(call environment,$(CORE),.)

$(DEV)/.installed: pyproject.toml constraints.txt
	@echo "installing ArchGym and its tools into $(DEV) (first time only)"
	$(call environment,$(DEV),$(DEV_EXTRAS))

quickstart: $(CORE)/.installed
	@$(core) -m archgym run experiments/quickstart.yaml --report
	@echo "report: $$(pwd)/runs/quickstart/report/index.html"

lint: $(DEV)/.installed
	$(dev) -m ruff check .
	$(dev) -m ruff format --check .

types: $(DEV)/.installed
	$(dev) -m mypy

test: lint types
	$(dev) -m pytest -m "not slow" -n $(WORKERS) --cov --cov-report=term </dev/null

test-slow: lint types
	$(dev) -m pytest -n $(WORKERS) </dev/null

bench: $(DEV)/.installed
	@for each in benchmarks/[a-z]*.py; do $(dev) -m benchmarks.$$(basename $$each .py) || exit; done

docs: $(DEV)/.installed
	NO_MKDOCS_2_WARNING=1 $(dev) -m mkdocs build --strict --site-dir site

serve-docs: $(DEV)/.installed
	$(dev) -m mkdocs serve

clean:
	rm -rf $(CORE) $(DEV) build dist site htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find archgym agents rtl sims tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
