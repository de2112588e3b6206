# This rule enters the experiment into MLflow; the files remain the only source of the results.
STORE = ["--store", EXPERIMENT.tracking.store] if EXPERIMENT.tracking.store else []


rule track:
    input:
        "<results>/report.html",
    output:
        "<results>/tracking/tracked.json",
        [] if STORE else update("<results>/mlflow.db"),
    log:
        "<logs>/track.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        code=code_digest("tracking", "use"),
        store=STORE,
        results=RESULTS.path,
    message:
        "Enter the runs and the report into MLflow"
    shell:
        "python3 -m online_rnnlm track {params.store:q} {params.results} &> {log}"
