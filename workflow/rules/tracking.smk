# This rule enters the experiment into MLflow; the files remain the only source of the results.
# While runs train, a process beside Snakemake enters their metrics so far (`onstart`); this rule
# completes the entries at the end.


rule track:
    input:
        [inputs.run_files(RESULTS.run(run)) for run in RUNS],
        [inputs.evaluation_files(EXPERIMENT, run, RESULTS) for run in RUNS.values()],
        report=RESULTS.report,
    output:
        tracked=RESULTS.tracked,
        database=[] if EXPERIMENT.tracking.store else update(RESULTS.store),
    log:
        RESULTS.log("track"),
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=inputs.tracking_code(EXPERIMENT),
        store=watcher.store_arguments(EXPERIMENT.tracking),
        directory=RESULTS.path,
    message:
        "Enter the runs and the report into MLflow"
    shell:
        "exec python3 -m online_rnnlm track {params.store:q} --log {log} {params.directory:q}"
