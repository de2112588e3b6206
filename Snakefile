# Online representation learning in recurrent neural language models: the whole experiment.
# `snakemake --cores all` runs config/config.yaml; `--configfile another.yaml` takes its place.

import shlex
import signal
import sys
import time
from pathlib import Path

# The code in this folder is what runs, whatever else the environment has installed.
SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))

from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.pipeline import configuration, earlier, inputs, starting, watcher
from online_rnnlm.rivals import rivals_of_corpora
from online_rnnlm.storage.paths import SPLITS, experiment_directory
from snakemake.settings.types import ExecMode

# Snakemake would merge the two files, and mix the corpora of both.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


try:
    EXPERIMENT = configuration.read_configuration(config, workflow.configfiles)
    RESULTS = experiment_directory(EXPERIMENT.experiment)
    # A killed run is taken up by simply starting again.
    if workflow.exec_mode == ExecMode.DEFAULT:
        earlier.refuse_other_versions(RESULTS)
        SOLE_RUN = starting.forget_killed_run(workflow.output_settings.dryrun)
        if not workflow.output_settings.dryrun:
            starting.check_writable(RESULTS)
except UserError as error:
    sys.exit(f"{ERROR_MARK}{error}")

RUNS = {run.name: run for run in EXPERIMENT.trainings()}
RIVALS = rivals_of_corpora(EXPERIMENT)
STARTED = time.time()

# A scheduler's warning, sent to all of a job, is for what it computes: Snakemake waits for its end.
if workflow.exec_mode != ExecMode.DEFAULT:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)

# Jobs use this environment even if it is not activated, and one core unless they ask for more.
shell.prefix(starting.shell_prefix(SOURCE))


wildcard_constraints:
    corpus="|".join(EXPERIMENT.corpora),
    run="|".join(RUNS),
    split="|".join(SPLITS),
    rival="|".join(RIVALS) or "none",


include: "workflow/rules/corpora.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/tracking.smk"
include: "workflow/rules/cross_check.smk"


# Too small for a queue, or in need of the network.
localrules:
    all,
    cross_check,
    fetch,
    tables,
    figures,
    claims,
    neighbours,
    report,
    track,


rule all:
    default_target: True
    input:
        RESULTS.report,
        rules.tables.output,
        rules.figures.output,
        rules.claims.output,
        rules.track.output,
    message:
        "Everything is there"


WATCHER = watcher.Watcher(EXPERIMENT, RESULTS)


onstart:
    configuration.write_configuration(EXPERIMENT, RESULTS)
    WATCHER.start()


onsuccess:
    WATCHER.stop()
    if RESULTS.report.is_file():
        print(f"\nReport:    {RESULTS.report}")
        print(f"MLflow UI: make ui EXPERIMENT={EXPERIMENT.experiment}")


onerror:
    WATCHER.stop()
    for line in starting.errors(RESULTS, STARTED):
        print(line, file=sys.stderr)
