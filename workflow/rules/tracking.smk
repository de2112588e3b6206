# The runs in MLflow, each when it has been tested. The files remain the only source of the results.
# Without a store of the user's own, named by MLflow's variable, it is a database in the results'
# folder, and `make ui` opens it.

import re

from online_rnnlm.config.evaluations import evaluations_of

# An address may hold a password, which no log and no record should have.
STORE = re.sub("//[^/]*@", "//", os.environ.get("MLFLOW_TRACKING_URI", ""))
OWN_STORE = [] if STORE else f"{RESULTS.path}/mlflow.db"


localrules:
    store,
    track,
    summary,


# Eight processes that open a new database together destroy it, so that it is made before all of them.
# It has absolute paths: in another folder, it is made again, and all runs are entered again.
rule store:
    output:
        f"{RESULTS.path}/mlflow.db",
    log:
        f"{RESULTS.path}/logs/store.log",
    params:
        folder=os.path.abspath(RESULTS.path),
    message:
        "Make a database for MLflow"
    shell:
        "python3 -m online_rnnlm track {RESULTS.path} --store &> {log}"


rule track:
    input:
        ancient(OWN_STORE),
        f"{RESULTS.path}/runs/{{run}}/result.json",
        lambda wildcards: [
            f"{RESULTS.path}/evaluations/{wildcards.run}/{evaluation}.json"
            for evaluation in evaluations_of(RUNS[wildcards.run].settings, EXPERIMENT.testing)
            if not RUNS[wildcards.run].searched
        ],
    output:
        f"{RESULTS.path}/tracking/{{run}}.txt",
    log:
        f"{RESULTS.path}/logs/track/{{run}}.log",
    retries: 0
    params:
        store=STORE,
    message:
        "Enter {wildcards.run} into MLflow"
    shell:
        "python3 -m online_rnnlm track {RESULTS.path} --run {wildcards.run} > {output} 2> {log}"


rule summary:
    input:
        expand(f"{RESULTS.path}/tracking/{{run}}.txt", run=RUNS),
        f"{RESULTS.path}/report.html",
    output:
        f"{RESULTS.path}/tracking/summary.txt",
    log:
        f"{RESULTS.path}/logs/track/summary.log",
    retries: 0
    params:
        store=STORE,
    message:
        "Enter the report into MLflow"
    shell:
        "python3 -m online_rnnlm track {RESULTS.path} --summary > {output} 2> {log}"
