# Every finished run is entered into MLflow; the files stay the truth.


# A fresh database does not survive several writers, so that one job makes it, before any other.
# What was tracked in an older database is tracked again in a new one (`created`).
rule store:
    output:
        database=update(RESULTS.store),
        created=touch(RESULTS.store_created),
    log:
        RESULTS.log("store"),
    priority: 100
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        configuration=RESULTS.configuration,
    message:
        "Create MLflow's database"
    shell:
        "python3 -m online_rnnlm store --config {params.configuration} --log {log}"


rule track:
    input:
        run=pipeline.run_files(RESULTS.run("{run}")),
        evaluations=lambda wildcards: pipeline.evaluation_files(
            EXPERIMENT, RUNS[wildcards.run], RESULTS
        ),
        store=RESULTS.store_created,
        code=pipeline.sources("tracking"),
    output:
        RESULTS.tracked("{run}"),
    log:
        RESULTS.log("track", "{run}"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        configuration=RESULTS.configuration,
    message:
        "Enter {wildcards.run} into MLflow"
    shell:
        "python3 -m online_rnnlm track --config {params.configuration} --run {wildcards.run} --log {log}"


rule track_report:
    input:
        report=RESULTS.report,
        store=RESULTS.store_created,
        code=pipeline.sources("tracking"),
    output:
        RESULTS.tracked("report"),
    log:
        RESULTS.log("track", "report"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        configuration=RESULTS.configuration,
    message:
        "Enter the tables and the report into MLflow"
    shell:
        "python3 -m online_rnnlm track --config {params.configuration} --report --log {log}"
