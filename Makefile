# Every target sets up what it needs in .venv; nothing else has to be installed but Python 3.11+.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 --constraint constraints.txt
CHAMPION := artifacts/champion

.PHONY: setup demo test test-all check train serve console bench peers kit audit notebooks lock clean

setup: .venv/.base            ## base install: predict, train the linear classifier, serve

.venv/.base: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --editable .
	touch $@

.venv/.dev: .venv/.base
	$(PIP) --editable '.[dev,serve,console]'
	touch $@

.venv/.notebooks: .venv/.dev
	$(PIP) --editable '.[dev,serve,console,notebooks]'
	touch $@

demo: setup                   ## fit (once), triage a dozen tickets, print a table
	test -e $(CHAMPION)/manifest.json || $(BIN)/triage train --data data/samples --output $(CHAMPION)
	$(BIN)/triage demo

check: .venv/.dev             ## lint, format of docstrings, types
	$(BIN)/ruff check .
	$(BIN)/pydoclint --quiet model training serving triage
	$(BIN)/mypy

test: check                   ## what CI runs
	$(BIN)/python -m pytest -m "not slow"

test-all: check .venv/.notebooks ## slow tests too (notebooks, README, real processes)
	$(BIN)/python -m pytest

.venv/.train: .venv/.base
	$(PIP) --editable '.[train]'
	touch $@

train: .venv/.train           ## fit the cascade on data/samples and make it the champion; torch: see README, "Extras"
	$(BIN)/triage train --data data/samples --classifier cascade --output $(CHAMPION)

.venv/.console: .venv/.base
	$(PIP) --editable '.[console]'
	touch $@

console: .venv/.console       ## web console on http://127.0.0.1:8080, beside `make serve`
	$(BIN)/triage console

serve: setup                  ## HTTP service on http://127.0.0.1:8000
	$(BIN)/triage serve

bench: .venv/.dev .venv/.train ## every figure of README and docs; outside texts through TRIAGE_BENCH_DATA
	test -e $(CHAMPION)/encoder.onnx || $(MAKE) train
	$(BIN)/python benchmarks/quality.py --write docs/quality.md --readme README.md README.zh-CN.md
	$(BIN)/python benchmarks/cascade.py --write docs/cascade.md
	$(BIN)/python benchmarks/unseen.py --write docs/unseen.md
	$(BIN)/python benchmarks/checklist.py --write docs/checklist.md
	$(BIN)/python benchmarks/corpus.py --write docs/corpus.md
	$(BIN)/python benchmarks/agreement.py --write docs/agreement.md
	$(BIN)/python benchmarks/privacy.py --write docs/privacy-figures.md
	$(BIN)/python benchmarks/attacks.py --split test dev --write docs/attacks.md
	$(BIN)/python benchmarks/adversarial.py --write docs/adversarial.md
	$(BIN)/python benchmarks/key_timing.py --write docs/key-timing.md
	$(BIN)/python benchmarks/foreign.py --write docs/foreign.md
	$(BIN)/python benchmarks/suspects.py --write docs/suspects.md
	$(BIN)/python benchmarks/choose.py --write docs/choose.md
	$(BIN)/python benchmarks/retrain.py --write docs/retrain.md
	$(BIN)/python benchmarks/hotspots.py --write docs/hotspots.md
	$(BIN)/python benchmarks/speed.py --write docs/speed.md
	$(BIN)/python benchmarks/explain.py --write docs/explain.md
	$(BIN)/python benchmarks/intake.py --bundle $(CHAMPION) --write docs/intake.md
	$(BIN)/python benchmarks/load.py --bundle $(CHAMPION) --peers --write docs/load.md
	$(BIN)/triage train --data data/samples --output artifacts/linear
	$(BIN)/python benchmarks/load.py --bundle artifacts/linear --write docs/load-linear.md
	$(BIN)/python benchmarks/load.py --bundle $(CHAMPION) --minutes 10 --write docs/load-memory.md
	$(BIN)/python benchmarks/report.py --write docs/report.md
	$(BIN)/python benchmarks/console.py --write docs/console-speed.md
	$(BIN)/python benchmarks/growth.py --write docs/growth.md
	$(PIP) --editable '.[ray]'
	$(BIN)/python benchmarks/archive.py --write docs/archive.md

peers: .venv/.train           ## our classifiers beside fastText, SetFit, a plain Trainer and others (about an hour)
	$(PIP) --editable '.[train,peers]'
	$(BIN)/python benchmarks/peers.py --cascade $(CHAMPION) --write docs/peers.md

kit: .venv/.base             ## everything for an air-gapped host in one archive; there: sh install.sh
	test -e $(CHAMPION)/manifest.json || $(MAKE) demo
	$(PIP) --editable '.[serve,console]'
	$(BIN)/python deploy/licences.py --write docs/licences.md > /dev/null
	$(BIN)/python deploy/kit.py --champion $(CHAMPION)

audit: .venv/.dev             ## bandit on our code; known holes in the locked libraries (asks the vulnerability service of the package index)
	$(PIP) bandit pip-audit
	$(BIN)/bandit --quiet --recursive --severity-level medium model training serving triage deploy
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

notebooks: .venv/.notebooks   ## JupyterLab with the kernel ready
	$(BIN)/jupyter lab notebooks

lock: .venv/.dev              ## renew constraints.txt after a change of pyproject.toml (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --no-header --no-annotate --quiet --output-file constraints.txt --upgrade

clean:
	rm -rf .venv artifacts
