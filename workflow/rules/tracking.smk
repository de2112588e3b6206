# The runs in MLflow, each when it has been tested. The files remain the only source of the results.
# Without a store of the user's own, named by MLflow's variable, it is a database in the results'
# folder, and `make ui` opens it. Where a store is away, `track` ends with status 75 (EX_TEMPFAIL) and
# leaves an empty file in place of MLflow's id: no job fails, and the next start enters the run.

# An address may hold a password, which no log and no record should have.
STORE = re.sub("//[^/]*@", "//", os.environ.get("MLFLOW_TRACKING_URI", ""))


# Eight processes that open a new database together destroy it, so it is made before all of them.
# The experiment's own has absolute paths: in another folder it is made again. All runs follow when it
# is made. Snakemake would take braces in a path for wildcards, but not in what a function returns.
rule store:
    output:
        [] if STORE else "<results>/mlflow.db",
        experiment="<results>/tracking/experiment.txt",
    log:
        "<logs>/store.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        folder=lambda wildcards: RESULTS.path if STORE else os.path.abspath(RESULTS.path),
        store=STORE,
    message:
        "Make a store for MLflow"
    shell:
        "python3 -m online_rnnlm track {params.folder:q} --store > {output.experiment} 2> {log}"
        " || [ $? -eq 75 ]"


rule track:
    input:
        store="<results>/tracking/experiment.txt",
        run="<results>/runs/{run}/result.json",
        evaluations=lambda wildcards: [
            f"<results>/evaluations/{run}/{evaluation}.json"
            for run, evaluation in EVALUATIONS
            if run == wildcards.run
        ],
    output:
        "<results>/tracking/{run}.txt",
    log:
        "<logs>/track/{run}.log",
    retries: 0
    localrule: True
    conda:
        "../../environment.yml"
    params:
        results=RESULTS.path,
        store=STORE,
    message:
        "Enter {wildcards.run} into MLflow"
    shell:
        "python3 -m online_rnnlm track {params.results} --run {wildcards.run} > {output} 2> {log}"
        " || [ $? -eq 75 ]"


rule summary:
    input:
        collect("<results>/tracking/{run}.txt", run=RUNS),
        "<results>/report.html",
    output:
        "<results>/tracking/summary.txt",
    log:
        "<logs>/track/summary.log",
    retries: 0
    localrule: True
    conda:
        "../../environment.yml"
    params:
        results=RESULTS.path,
        store=STORE,
    message:
        "Enter the report into MLflow"
    shell:
        "python3 -m online_rnnlm track {params.results} --summary > {output} 2> {log}"
        " || [ $? -eq 75 ]"
