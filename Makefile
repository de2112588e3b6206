# The tasks of the project; `make help` lists them. They need only make and python3 (3.11 to 3.13,
# with venv). The environment is installed into .venv from the lock, whose hashes are checked, and
# again only when the lock changes: locks/install.sh.

# What a user may set, as in `make reproduce CONFIG=mine.yaml`. An empty PYTHON is python3.
CONFIG ?= config/config.yaml
CORES ?= all
EXPERIMENT ?= demo
PORT ?= 5000
BENCH ?=
PYTHON ?=
VENV := .venv
THEANO ?= .venv-theano
THEANO_BASE ?= python3.9

# A value as a single word of the shell, whatever characters it has.
quoted = '$(subst ','\'',$(1))'

BIN := $(VENV)/bin
INSTALL := locks/install.sh
TEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile
# The bar needs a terminal; a file gets Snakemake's own lines, which the bar would keep from it.
BAR = $(shell test -t 2 && echo --logger rich)
SNAKEMAKE = $(BIN)/snakemake --cores $(call quoted,$(CORES)) $(BAR)
CONFIG_FILE = $(call quoted,$(or $(CONFIG),$(error CONFIG is empty: name a file, as in CONFIG=config/smoke.yaml)))
RESULTS = $$($(BIN)/online-rnnlm check --results $(CONFIG_FILE))
START := $(shell date +%s.%N)

# Run an experiment. Its configuration is checked first, by a stricter reader than Snakemake's,
# which names the file. Snakemake prints the table that it makes; an older one is printed here. After
# Ctrl-C the last line is Snakemake's, since make reports no failure.
define RUN
@$(BIN)/online-rnnlm check $(CONFIG_FILE)
@trap stopped=yes INT; $(SNAKEMAKE) --configfile $(CONFIG_FILE) || test "$$stopped"
@find "$(RESULTS)/summary.txt" ! -newermt @$(START) -exec cat {} +
endef

.DEFAULT_GOAL := help
.PHONY: help reproduce smoke paper models jax cuda theano engines ui bench check fast test lint format document docs \
    lock clean environment

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

reproduce: environment ## Run the demo: minutes on two cores, set-up included (CONFIG=FILE: your own experiment)
	$(RUN)

smoke: CONFIG := config/smoke.yaml
smoke: environment ## Run the tiny experiment: some minutes
	$(RUN)

paper: CONFIG := config/paper.yaml
paper: environment ## Run the experiment at full scale: hours; better on a cluster
	$(RUN)

# Runs of earlier code stay: the newest is taken.
models: EXPORT := $(BIN)/online-rnnlm export --half
models: CONFIG := config/model.yaml
models: environment ## Train the two models anew that come with the project: half an hour
	$(RUN)
	$(EXPORT) "$$(ls -d -t results/model/runs/wikipedia-M100-D20-* | head -n 1)" -o resources/wikipedia-100-20.onlm
	$(EXPORT) "$$(ls -d -t results/model/runs/wikipedia-M110-D0-* | head -n 1)" -o resources/wikipedia-110-0.onlm

engines: export THEANO_PYTHON ?= $(THEANO)/bin/python
engines: CONFIG := config/examples/engines.yaml
engines: environment jax ## Train one small network by every engine, after `make theano`: some minutes
	$(RUN)

ui: environment ## Open the runs in MLflow's UI (EXPERIMENT=demo PORT=5000)
	$(BIN)/online-rnnlm ui $(call quoted,results/$(EXPERIMENT)) --port $(call quoted,$(PORT))

bench: environment ## Measure speed; write it into docs/performance.md (BENCH="--sentences 40000": sooner)
	$(BIN)/python -m benchmarks.speed --document docs/performance.md $(BENCH)

check: lint fast ## Check format, style and types, and run the fast tests: two minutes on two cores

fast: environment ## Run the fast tests (PYTHON=python3.11 VENV=.venv-3.11: with another Python)
	$(TEST) -m "not slow" tests/unit

test: environment jax ## Run all tests
	$(BIN)/python -m tests.compile_kernels
	$(TEST)

lint: environment ## Check format, style, types and the workflow
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: environment ## Put the code into the format that lint asks for
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow

document: environment ## Write what is generated of config, docs and README anew
	$(BIN)/python -m docs.generate

docs: environment ## Build the documentation as a site that can be searched: build/site/index.html
	@$(INSTALL) add $(call quoted,$(VENV)) docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

environment: ## Install what the project needs into .venv: the other tasks do it, too
	@$(INSTALL) environment $(call quoted,$(VENV)) $(call quoted,$(PYTHON))

jax: environment ## Add what `engine: jax` needs on a CPU to the environment
	@$(INSTALL) add $(call quoted,$(VENV)) jax

cuda: environment ## Add what `engine: jax` needs on an NVIDIA GPU to the environment
	@$(INSTALL) add $(call quoted,$(VENV)) cuda

theano: ## Install Theano 1.0.5 into an environment of its own (THEANO_BASE=/path/to/python3.9)
	@$(INSTALL) theano $(call quoted,$(THEANO)) $(call quoted,$(THEANO_BASE))

lock: ## Write the locks anew (needs uv)
	locks/write.sh

clean: ## Remove the environment and caches; results are kept
	rm -rf $(call quoted,$(VENV)) $(call quoted,$(THEANO)) .pytest_cache .mypy_cache .ruff_cache .hypothesis
