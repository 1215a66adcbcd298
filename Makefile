# The few commands of a contributor; .ci/run is what decides.
.PHONY: setup test lint demo
PYTHON ?= python3

setup: .venv/bin/pytest

.venv/bin/pytest: pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --editable '.[test]'
	touch .venv/bin/pytest

test: setup
	.venv/bin/pytest -n 3

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

demo: setup
	.venv/bin/intercom-assets demo
