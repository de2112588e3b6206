# The definitions that all rules share: the checked configuration, its runs, and the code for jobs.

import os
import re
import shlex
import signal
import sys
import time
from functools import partial
from pathlib import Path

from snakemake.settings.types import DeploymentMethod, ExecMode

# In a checkout, the code beside this folder runs, even if another version is installed. Elsewhere,
# as in a workflow that loads this one as a module, the installed package runs.
PROJECT = Path(str(workflow.current_basedir)).parents[1]
CHECKOUT = PROJECT / "src"
if CHECKOUT.is_dir():
    sys.path.insert(0, str(CHECKOUT))

try:
    from online_rnnlm.config import yaml_files
    from online_rnnlm.engines.names import kernel_networks, names_of
    from online_rnnlm.engines.theano import environment as theano
    from online_rnnlm.pipeline import configuration, earlier, freshness, inputs, jobs, measurements
    from online_rnnlm.pipeline import resources, starting, watcher
    from online_rnnlm.rivals import rivals_of_corpora
    from online_rnnlm.storage.paths import HELD_OUT, SPLITS, TABLE_KINDS, experiment_directory
except ModuleNotFoundError as missing:
    sys.exit(f"online-rnnlm: error: {missing}: install the package and what it needs: README.md")

# Without this condition Snakemake would merge the two files and mix the corpora of both.
if not workflow.overwrite_configfiles and not workflow.modifier.skip_configfile:
    with starting.one_line_errors():
        yaml_files.read_mapping(Path("config/config.yaml"))  # Snakemake's error names no line.

    configfile: "config/config.yaml"


LINT = "--lint" in sys.argv
DRY_RUN = workflow.output_settings.dryrun or LINT
ALONE = workflow.modifier.is_main_snakefile()
with starting.one_line_errors():
    if workflow.exec_mode == ExecMode.DEFAULT and ALONE:
        configuration.one_file(workflow.overwrite_configfiles, sys.argv[1:])
        configuration.check_values(sys.argv[1:])
    EXPERIMENT = configuration.read_configuration(
        config, workflow.configfiles, given=workflow.config_settings.config, alone=ALONE
    )
    RESULTS = experiment_directory(EXPERIMENT.experiment)
    JOBS = jobs.Jobs(EXPERIMENT, RESULTS, inputs.published_file(PROJECT), ordered=not LINT)
    if workflow.exec_mode == ExecMode.DEFAULT:
        if not DRY_RUN:
            starting.refuse_no_cores(workflow.resource_settings.cores)
        configuration.refuse_another_file(EXPERIMENT, workflow.configfiles, RESULTS)
        earlier.refuse_other_versions(RESULTS)
        SOLE_RUN = starting.begin(
            RESULTS, configuration.digest_of(EXPERIMENT), Path(workflow.basedir), DRY_RUN
        )
        # The jobs of another Snakemake that is at work here read their orders when they begin.
        BESIDE = DRY_RUN and SOLE_RUN is None
        if not BESIDE and (RESULTS.path.is_dir() or not DRY_RUN):
            starting.refuse_files_as_folders(JOBS.folders())
            freshness.order(JOBS, RESULTS)
        # Snakemake does not call `onstart` where nothing is to be done, and the file may have got
        # another name since the last start.
        if not DRY_RUN and RESULTS.configuration_file.is_file():
            configuration.remember_file(EXPERIMENT, workflow.configfiles, RESULTS)
        # `onstart` writes the configuration, too, but Snakemake does not call it in a module.
        if not (DRY_RUN or ALONE):
            configuration.write_configuration(EXPERIMENT, RESULTS)
            configuration.remember_file(EXPERIMENT, workflow.configfiles, RESULTS)

STARTED = time.time()

# A scheduler sends its warning to all processes of a job. The training or evaluation handles it;
# the Snakemake process inside the job ignores it and waits for that to end.
if workflow.exec_mode != ExecMode.DEFAULT:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)

# The environment that Snakemake makes by conda, if it is told to.
ENVIRONMENT = starting.environment_file(PROJECT)

# Jobs find Theano from any folder; a relative path starts at the project's folder.
os.environ[theano.PYTHON] = str(PROJECT / theano.python())

# Jobs use this environment even if it is not activated, and one core if they do not ask for more.
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
shell.prefix(starting.shell_prefix(starting.package_folder(CHECKOUT, CONDA), CONDA))

RUNS = {run.name: run for run in EXPERIMENT.trainings()}
RUN = RESULTS.run("{run}")
RIVALS = rivals_of_corpora(EXPERIMENT)
WORKLOAD_OF = partial(resources.workload_of, EXPERIMENT, RESULTS)


def inputs_of(rule, wildcard):
    """Return a function of the wildcards that gives the inputs of a rule's job: see `of_job`."""
    return lambda wildcards: JOBS.inputs(rule, getattr(wildcards, wildcard))


def order_of(rule, wildcard):
    """Return a function of the wildcards that gives the order of a rule's job: see `of_job`."""
    return lambda wildcards: JOBS.order(rule, getattr(wildcards, wildcard))


def of_job(attribute, rule, wildcard):
    """Return a function of the wildcards that gives an attribute of a rule's job.

    `wildcard` is the name of the wildcard that tells the rule's jobs apart.
    """
    return lambda wildcards: getattr(JOBS[rule, getattr(wildcards, wildcard)], attribute)


def whole_job(rule):
    """Return the parameters of a rule that reads all results."""
    job = JOBS[rule, ""]
    return {"code": job.code, "settings": job.settings, "job": JOBS.order(rule, "")}


def run_corpus(*splits):
    """Return a function of the wildcards that gives the arrays of some splits of a run's corpus."""
    return lambda wildcards: inputs.encoded_files(
        RESULTS.corpus(RUNS[wildcards.run].settings.corpus), splits
    )


def run_gpus(wildcards):
    """Return the number of GPUs that a run's jobs require."""
    return resources.gpus(RUNS[wildcards.run].settings)


def run_threads(wildcards):
    """Return the number of threads that train a run."""
    return resources.threads(EXPERIMENT, RUNS[wildcards.run].settings)


wildcard_constraints:
    corpus="|".join(map(re.escape, EXPERIMENT.corpora)),
    run="|".join(map(re.escape, RUNS)),
    split="|".join(SPLITS),
    rival="|".join(map(re.escape, RIVALS)) or "none",
