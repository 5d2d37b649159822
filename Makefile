# The course's commands. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What is there when everything is installed, and when what the lessons need is.
STAMP := $(VENV)/.setup
LAB := $(VENV)/.lab
# Which lessons, which language, further arguments: make notebooks ARGS="01_reinforce --no-execute"
ARGS ?=
# The language of the page that `make lab` opens: the system's own where the course has it.
LAB_LANGUAGE ?= $(shell printf '%.2s' "$${LC_ALL:-$${LC_MESSAGES:-$$LANG}}")
SPOKEN = $(if $(and $(LAB_LANGUAGE),$(wildcard notebooks/$(LAB_LANGUAGE)/00_start.ipynb)),$(LAB_LANGUAGE),en)
# Whose JupyterLab `make lab` opens: a student's has Validate, but not nbgrader's other tools.
ROLE ?= student
# Processes for the tests.
JOBS ?= 2
# A package index to take torch from, and pip in uv's place; see README.md.
export TORCH_INDEX ?=
export INSTALLER ?=
export MAKE_GOAL := $(firstword $(MAKECMDGOALS))
# nbgrader looks for its helpers, such as alembic, on PATH.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# One thread a process: the lessons' networks are small, and tests run side by side.
export OMP_NUM_THREADS := 1
DEBIAN := bubblewrap libseccomp2 chromium chromium-driver postgresql

.PHONY: help setup system lab demo notebooks test claims bench lint translations site lock canary clean

help:
	@echo "make lab           install the course and open JupyterLab (ARGS=--no-browser: a server;"
	@echo "                   ROLE=instructor: with nbgrader's menu and formgrader)"
	@echo "make test          install everything and run all tests"
	@echo "make demo          autograde a small class of submissions and print the marks"
	@echo "make notebooks     build solutions/ and notebooks/ from lessons/ (ARGS=01_reinforce)"
	@echo "make claims        measure the lessons' headline claims over other seeds and rates"
	@echo "make translations  bring the catalogues under locale/ up to date"
	@echo "make site          build the course as web pages in build/site, in each language"
	@echo "make lint          check style, layout and imports of the code"
	@echo "make bench         measure speeds"
	@echo "make canary        test the oldest and the newest packages that are allowed"
	@echo "make lock          write requirements.lock from pyproject.toml (ARGS=--upgrade)"
	@echo "make setup         install everything into $(VENV)"
	@echo "make clean         remove what setup, tests and grading left"

setup: $(STAMP)

$(LAB): EXTRAS = lab
$(STAMP): EXTRAS = lab test cluster postgres site
$(LAB) $(STAMP): pyproject.toml requirements.lock publish/install.py postBuild
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Remedy: install one and name it, for example: make $(MAKE_GOAL) PYTHON=python3.12"; \
	  exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "The virtual environment $(VENV) could not be made; the reason stands above."; \
	  echo "Remedy: make this folder writable, or, where ensurepip is missing (Debian, Ubuntu),"; \
	  echo "install the package python3-venv. Then run the command again."; exit 1; }
	@echo "Installing the course into $(VENV): about 1.4 GB with torch."
	@$(BIN)/python publish/install.py $(EXTRAS)
	@sh postBuild $(BIN)/
	@touch $@ $(LAB)

# The sandbox and the tests of browser and gradebook use these. Whoever can't install them goes
# without.
system:
	@missing=""; \
	for package in $(DEBIAN); do \
	  dpkg-query --show --showformat='$${Status}' $$package 2>/dev/null \
	    | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  { apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing; } \
	    >/dev/null || echo "Not installed:$$missing. Tests that need them are skipped."; \
	else \
	  echo "Not installed:$$missing. Tests of the sandbox (bubblewrap, libseccomp2), of the"; \
	  echo "browser (chromium, chromium-driver) and of a gradebook on a server (postgresql) are"; \
	  echo "skipped where they are missing."; \
	fi

lab: $(LAB)
	@case "$(ROLE)" in student|instructor) ;; *) \
	  echo "ROLE=$(ROLE)? Remedy: make lab, or make lab ROLE=instructor"; exit 1;; esac
	@test -d notebooks/en || { echo "There is no folder notebooks/en. Remedy: make notebooks"; exit 1; }
	JUPYTER_CONFIG_PATH="$(CURDIR)/lab/$(ROLE):$$JUPYTER_CONFIG_PATH" \
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/$(SPOKEN)/00_start.ipynb $(ARGS)

demo: $(LAB) system
	$(BIN)/python -m grader demo $(ARGS)

notebooks: $(LAB)
	$(BIN)/python -m publish $(ARGS)

test: setup system lint
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(ARGS)

claims: setup
	$(BIN)/python -m publish.claims $(ARGS)

bench: setup system
	@# What is measured against.
	@$(BIN)/python publish/install.py lab bench
	$(BIN)/python -m tests.bench $(ARGS)

# Style, layout, and what may import what (docs/architecture.md).
lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo

translations: $(LAB)
	$(BIN)/python -m publish.translations $(ARGS)

site: setup
	$(BIN)/python -m publish.site $(ARGS)

# requirements.lock from pyproject.toml; what still fits stays. ARGS=--upgrade: the newest of all.
lock:
	@test -x $(BIN)/uv || $(MAKE) setup
	env -u UV_FIND_LINKS $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
	  --no-annotate --custom-compile-command "make lock" --output-file requirements.lock $(ARGS) \
	  pyproject.toml

# The oldest and the newest versions that pyproject.toml allows, each with the checks' tests.
canary: setup
	$(BIN)/python -m tests.canary $(ARGS)

clean:
	rm -rf $(VENV) build out *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
