# Two commands set everything up on a fresh machine: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test check bench clean

demo: $(READY)
	$(BIN)/siteward demo

test: $(READY)
	scripts/install-servers
# What the tests start finds its modules compiled, whatever the environment says.
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 2 --dist loadfile

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	scripts/install-servers
	$(BIN)/python benchmarks/ingest.py
	$(BIN)/python benchmarks/decoding.py
	$(BIN)/python benchmarks/payloads.py
	$(BIN)/python benchmarks/consumption.py
	$(BIN)/python benchmarks/reports.py
	$(BIN)/python benchmarks/desk.py
	$(BIN)/python benchmarks/rules.py

$(READY): pyproject.toml constraints.txt scripts/make-environment
	scripts/make-environment $(PYTHON) $(VENV)
	touch $@

clean:
	rm -rf $(VENV)
