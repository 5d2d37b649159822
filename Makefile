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
LAB_LANGUAGE ?= $(shell printf '%.2s' "$${COURSE_LANGUAGE:-$${LC_ALL:-$${LC_MESSAGES:-$$LANG}}}")
SPOKEN = $(if $(and $(LAB_LANGUAGE),$(wildcard notebooks/$(LAB_LANGUAGE)/00_start.ipynb)),$(LAB_LANGUAGE),en)
# Whose JupyterLab `make lab` opens: a student's has Validate, but not nbgrader's other tools.
ROLE ?= student
# Sentences for people, in the system's language; COURSE_LANGUAGE outranks it.
SAY = $(PYTHON) publish/say.py
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
	@$(SAY) help

setup: $(STAMP)

$(LAB): EXTRAS = lab
$(STAMP): EXTRAS = lab test cluster postgres site
$(LAB) $(STAMP): pyproject.toml requirements.lock publish/install.py postBuild
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  $(SAY) old $(PYTHON) "$$($(PYTHON) --version 2>&1)" $(MAKE_GOAL); exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  $(SAY) no-venv $(VENV); exit 1; }
	@$(SAY) installing $(VENV)
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
	    >/dev/null || $(SAY) not-installed "$${missing# }"; \
	else \
	  $(SAY) missing "$${missing# }"; \
	fi

lab: $(LAB)
	@case "$(ROLE)" in student|instructor) ;; *) \
	  $(SAY) no-role; exit 1;; esac
	@test -d notebooks/en || { $(SAY) no-notebooks; exit 1; }
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
