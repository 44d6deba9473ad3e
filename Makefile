# `make demo` and `make test` work on a fresh checkout with Python 3.11 or later, make and an internet connection. No compiler is
# needed where PyTorch has wheels: Linux with glibc, macOS and Windows.
# Everything is installed into $(VENV); `make VENV=/elsewhere` and `make PYTHON=python3.12` choose another folder or Python.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
MINUTES ?= 60
SEEDS ?= 10000
COVERAGE ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
DEMO := build/demo
MEASURED := $(if $(COVERAGE),--cov --cov-report=term:skip-covered --cov-fail-under=95)

.PHONY: help demo test bench slow lint format fonts figures pictures geometry browser tikz wheel-check fuzz crossings sizes mutants emit-mutants coverage compat tex imports imports-two clean

help:
	@echo "make demo         install, then statistics, source, a forward pass and a picture of VGG-16"
	@echo "make test         install, then run the tests"
	@echo "make slow         the tests that take long"
	@echo "make lint         format, lint and type checks"
	@echo "make format       reformat the Python code"
	@echo "make fonts        rewrite the bundled fonts from Debian's fonts-inter and fonts-dejavu-core"
	@echo "make figures      recompute the metrics that cnndsl zoo prints"
	@echo "make pictures     redraw the pictures of docs/gallery.md and of the README"
	@echo "make geometry     draw every network and a thousand programs in all widths: nothing overlaps"
	@echo "make browser      open every network's pictures in Chromium and measure their texts"
	@echo "make tikz         set every network's pictures with LaTeX"
	@echo "make wheel-check  build wheel and sdist, check them as an index does, use the wheel in a fresh environment"
	@echo "make fuzz         look for inputs that break it, for an hour: MINUTES=60"
	@echo "make crossings    run generated programs in which labels, references and taps meet: SEEDS=10000"
	@echo "make sizes        compile every network with every input size up to 512, and compare with cnndsl sizes"
	@echo "make mutants      break the code on purpose and count the tests that notice"
	@echo "make emit-mutants break the emitter on purpose and count what the verifier notices"
	@echo "make coverage     the tests with branch coverage: make test COVERAGE=1"
	@echo "make bench        the tables of speed, beside named peers"
	@echo "make compat       the oldest dependencies, other Pythons and Pyodide, as far as they are installed"
	@echo "make tex          set every network's tables with LaTeX"
	@echo "make imports      import the 722 networks of timm and torchvision, for hours; goes on from docs/imports.tsv: docs/imports.md"
	@echo "make imports-two  import the two smallest networks of each family again, in an hour; fails if one gets worse"
	@echo "make clean        remove what was built, and $(VENV)"

# torch goes first and alone: pinned, or a later step would take whatever release is newest.
$(VENV)/.run: pyproject.toml constraints.txt
	@echo "Installing into $(VENV); the first time takes some minutes."
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt torch
	$(PIP) install -c constraints.txt -e '.[torch,render]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@

$(VENV)/.slow: $(VENV)/.dev
	$(PIP) install -c constraints.txt -e '.[examples,onnxruntime]'
	@touch $@

demo: $(VENV)/.run
	@mkdir -p $(DEMO)
	$(BIN)/cnndsl stats vgg16
	$(BIN)/cnndsl compile vgg16 --force -o $(DEMO)/vgg16.py
	$(BIN)/python $(DEMO)/vgg16.py
	$(BIN)/cnndsl render vgg16 --force -o $(DEMO)/vgg16.svg

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) $(MEASURED)

slow: $(VENV)/.slow
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

fonts: $(VENV)/.dev
	$(BIN)/python tools/prepare_fonts.py $(if $(INTER),--inter $(INTER)) $(if $(DEJAVU),--dejavu $(DEJAVU))

figures: $(VENV)/.run
	$(BIN)/python tools/figures.py

pictures: $(VENV)/.run
	$(BIN)/python tools/gallery.py

geometry: $(VENV)/.dev
	$(BIN)/python -m pytest -m "slow or not slow" -n $(JOBS) tests/emit/drawing/layout tests/emit/drawing/cards

browser: $(VENV)/.dev
	$(BIN)/python .ci/browser.py

tikz: $(VENV)/.dev
	$(BIN)/python .ci/tikz.py

wheel-check: $(VENV)/.dev
	$(BIN)/python .ci/wheel_check.py

$(VENV)/.fuzz: $(VENV)/.dev
	-$(PIP) install atheris
	@touch $@

fuzz: $(VENV)/.fuzz
	$(BIN)/python fuzz/run.py --minutes $(MINUTES)

crossings: $(VENV)/.dev
	$(BIN)/python fuzz/crossings.py --seeds $(SEEDS) --processes $(JOBS)

sizes: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow -n $(JOBS) tests/sweeping/test_size_search.py

mutants: $(VENV)/.dev
	$(BIN)/python fuzz/mutants.py

emit-mutants: $(VENV)/.dev
	$(BIN)/python fuzz/emit_mutants.py --count 300 --processes $(JOBS)

coverage:
	$(MAKE) test COVERAGE=1

$(VENV)/.bench: $(VENV)/.dev
	$(PIP) install -c constraints.txt -e '.[bench]'
	@touch $@

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/all.py

compat: $(VENV)/.dev
	$(BIN)/python .ci/compat.py

tex: $(VENV)/.dev
	$(BIN)/python .ci/tex.py

imports: $(VENV)/.dev
	$(BIN)/python tools/imports.py --jobs $(JOBS)

imports-two: $(VENV)/.dev
	$(BIN)/python tools/imports.py --jobs $(JOBS) --each 2 --again

clean:
	rm -rf build dist $(VENV)
