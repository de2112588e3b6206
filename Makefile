# The tasks of the project; `make help` lists them. They need only make and python3 (3.11 to 3.13,
# with venv). The environment is installed into .venv from the lock, whose hashes are checked, and
# again only when the lock changes.

# A value as a single word of the shell, whatever characters it has.
quoted = '$(subst ','\'',$(1))'

PYTHON ?= python3
CORES ?= all
VENV := .venv
BIN := $(VENV)/bin
# The bar needs a terminal; a file gets Snakemake's own lines, which the bar would keep from it.
BAR = $(shell test -t 2 && echo --logger rich)
SNAKEMAKE = $(BIN)/snakemake --cores $(call quoted,$(CORES)) $(BAR)
# The configuration is checked first, by a stricter reader than Snakemake's, which names the file.
RUN = @test -n $(call quoted,$(CONFIG)) || { \
        echo "error: CONFIG is empty: name a configuration, as in CONFIG=config/smoke.yaml" >&2; exit 1; }; \
    $(BIN)/online-rnnlm check $(call quoted,$(CONFIG)) && \
    table=results/"$$($(BIN)/python -c $(NAME) $(call quoted,$(CONFIG)))"/summary.txt && \
    before="$$(stat -c %y "$$table" 2> /dev/null || true)" && \
    $(SNAKEMAKE) --configfile $(call quoted,$(CONFIG)) && \
    { test "$$before" != "$$(stat -c %y "$$table")" || cat "$$table"; }
# Snakemake prints the table when it has made it; else it is printed here.
NAME := 'import sys, yaml; print(yaml.safe_load(open(sys.argv[1]))["experiment"])'
CONFIG ?= config/config.yaml
EXPERIMENT ?= demo
PORT ?= 5000
TEST = $(BIN)/python -m pytest --numprocesses auto --dist loadfile
BENCH ?=
THEANO ?= .venv-theano
THEANO_BASE ?= python3.9

# These two packages are published only as sources; both are pure Python and need no compiler.
PURE_PYTHON_SOURCES := connection-pool,docopt
# The shell function `install` runs pip in the environment $(1), and writes the output to a file. It
# says in one line if there is no network: pip would say that there is no such package.
define INSTALL
install() { $(1)/bin/python -m pip --disable-pip-version-check install --quiet --no-compile "$$@" \
    > $(1)/pip.log 2>&1 || { \
        if grep -q -E "connection broken by|Max retries exceeded" $(1)/pip.log; then \
            echo "error: the package index cannot be reached: packages are installed over the" \
                "network; pip's own words are in $(1)/pip.log" >&2; \
        else cat $(1)/pip.log >&2; fi; exit 1; }; }
endef
LOCKED := --require-hashes --no-deps --only-binary=:all: --no-binary=$(PURE_PYTHON_SOURCES)
INSTALLED := $(VENV)/installed-for
VERSION := -c 'import sys; print("%d.%d" % sys.version_info[:2])'
# Theano 1.0.5 is published only as sources, too.
THEANO_LOCKED := --require-hashes --no-deps --only-binary=:all:
UV := uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet
COMPILE := $(UV) pyproject.toml --python-version 3.11
# An awk program that prints the packages of the second lock that are not in the first one.
ADDED := NR == FNR { seen[$$0]; next } /^[^ ]/ { keep = !($$0 in seen) } keep
WHAT_TO_INSTALL = { pwd; cat locks/requirements.lock pyproject.toml; }

.DEFAULT_GOAL := help
.PHONY: help reproduce smoke paper models jax cuda theano engines ui bench check fast test lint format document docs \
    lock clean environment python

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

models: CONFIG := config/model.yaml
models: environment ## Train the two models anew that come with the project: half an hour
	$(RUN)
	for size in 100-D20 110-D0; do \
	    $(BIN)/online-rnnlm export results/model/runs/wikipedia-M$$size-* --half \
	        -o resources/wikipedia-$$(echo $$size | tr -d D).onlm || exit 1; done

# Each of these locks lists only the packages that it adds to the environment. The packages stay
# until the environment is installed again.
define ADD
cmp -s locks/$(1).lock $(VENV)/installed-$(1) || { set -e; \
    echo "Adding locks/$(1).lock to $(VENV)."; \
    $(call INSTALL,$(VENV)); install $(LOCKED) --requirement locks/$(1).lock; \
    cp locks/$(1).lock $(VENV)/installed-$(1); }
endef

jax: environment ## Add what `engine: jax` needs on a CPU to the environment
cuda: environment ## Add what `engine: jax` needs on an NVIDIA GPU to the environment
jax cuda:
	@$(call ADD,$@)

engines: export THEANO_PYTHON ?= $(THEANO)/bin/python
engines: CONFIG := config/examples/engines.yaml
engines: environment jax ## Train one small network by every engine, after `make theano`: some minutes
	$(RUN)

ui: environment ## Open the runs in MLflow's UI (EXPERIMENT=demo PORT=5000)
	$(BIN)/online-rnnlm ui $(call quoted,results/$(EXPERIMENT)) --port $(call quoted,$(PORT))

# Without options the benchmark uses the demo's corpus, which is prepared first if it is missing.
bench: environment ## Measure speed, memory, peers; write docs/development/performance.md (BENCH="--quick")
	$(if $(findstring --corpus,$(BENCH)),,$(SNAKEMAKE) --until encode)
	$(BIN)/python -m benchmarks --document $(BENCH)

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
	@$(call ADD,docs)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

lock: ## Write the locks anew (needs uv)
	$(COMPILE) --extra pipeline --extra dev --output-file locks/requirements.lock
	$(COMPILE) --constraints locks/requirements.lock --output-file locks/tool.lock
	for extra in jax cuda docs; do \
	    $(COMPILE) --extra pipeline --extra $$extra --constraints locks/requirements.lock \
	        | awk '$(ADDED)' locks/requirements.lock - > locks/$$extra.lock || exit 1; done
	sed -n 's/^      - //p' workflow/envs/theano.yml | $(UV) - --python-version 3.8 \
	    --output-file locks/theano.lock

clean: ## Remove the environment and caches; results are kept
	rm -rf $(VENV) $(THEANO) .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The file `installed-for` is written last, so an interrupted installation is never taken for a
# finished one. A PYTHON that was named must be the environment's.
environment: python ## Install what the project needs into .venv: the other tasks do it, too
	@{ $(WHAT_TO_INSTALL) | cmp -s - $(INSTALLED) && $(BIN)/python -c pass 2> /dev/null; } || { set -e; \
	    echo "Installing the environment into $(VENV): a minute or two."; \
	    rm -rf $(VENV); $(call quoted,$(PYTHON)) -m venv $(VENV); $(call INSTALL,$(VENV)); \
	    awk '/^[^ ]/ { keep = /^setuptools==/ } keep' locks/requirements.lock > $(VENV)/setuptools.lock; \
	    install $(LOCKED) --requirement $(VENV)/setuptools.lock; \
	    install $(LOCKED) --no-build-isolation --requirement locks/requirements.lock; \
	    install --no-deps --no-build-isolation --editable .; \
	    $(WHAT_TO_INSTALL) > $(INSTALLED); }
	@has=$$($(BIN)/python $(VERSION)); \
	asked=$(if $(filter file,$(origin PYTHON)),$$has,$$($(call quoted,$(PYTHON)) $(VERSION))); \
	test "$$asked" = "$$has" || { \
	    echo "error: $(VENV) is of Python $$has, but PYTHON is $$asked: make it anew after \`make clean\`" >&2; \
	    exit 1; }

# Theano's build needs some packages of the lock, so they are installed before it.
theano: ## Install Theano 1.0.5 into an environment of its own (THEANO_BASE=/path/to/python3.9)
	@cmp -s locks/theano.lock $(THEANO)/installed-for || { set -e; \
	    test "$$($(call quoted,$(THEANO_BASE)) $(VERSION) 2> /dev/null | grep -x -E '3\.[89]')" || { \
	        echo "error: Theano 1.0.5 needs Python 3.8 or 3.9, which" $(call quoted,$(THEANO_BASE)) "is not;" \
	            "name one: THEANO_BASE=/path/to/python3.9" >&2; exit 1; }; \
	    echo "Installing Theano 1.0.5 into $(THEANO)."; \
	    rm -rf $(THEANO); $(call quoted,$(THEANO_BASE)) -m venv $(THEANO); $(call INSTALL,$(THEANO)); \
	    awk '/^[^ ]/ { keep = /^(setuptools|wheel)==/ } keep' locks/theano.lock > $(THEANO)/build.lock; \
	    install $(THEANO_LOCKED) --requirement $(THEANO)/build.lock; \
	    install $(THEANO_LOCKED) --no-binary=theano --no-build-isolation \
	        --requirement locks/theano.lock; \
	    cp locks/theano.lock $(THEANO)/installed-for; }

python:
	@command -v $(call quoted,$(PYTHON)) > /dev/null || { \
	    echo "error:" $(call quoted,$(PYTHON)) "is not found; name a Python 3.11 to 3.13:" \
	        "PYTHON=/path/to/python3" >&2; exit 1; }
	@test "$$($(call quoted,$(PYTHON)) $(VERSION) 2> /dev/null | grep -x -E '3\.1[1-3]')" || { \
	    said=$$($(call quoted,$(PYTHON)) -V 2>&1 | grep "^Python "); \
	    echo "error: Python 3.11 to 3.13 is needed, but" $(call quoted,$(PYTHON)) "is $${said:-no Python};" \
	        "name another: PYTHON=python3.11" >&2; exit 1; }
	@$(call quoted,$(PYTHON)) -c 'import ensurepip, venv' 2> /dev/null || { \
	    echo "error:" $(call quoted,$(PYTHON)) "has no venv; on Debian: apt-get install python3-venv" >&2; \
	    exit 1; }
