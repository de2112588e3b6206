# This rule enters the experiment into MLflow; the files remain the only source of the results.
# While runs train, a process beside Snakemake enters their metrics so far (`onstart`); this rule
# completes the entries at the end.


rule track:
    input:
        rules.tables.input,
        rules.report.output,
    output:
        RESULTS.tracked,
        [] if EXPERIMENT.tracking.store else update(RESULTS.store),
    log:
        RESULTS.log("track"),
    localrule: True
    params:
        code=code_digest("tracking", "use"),
        settings=lambda wildcards: inputs.as_json(
            [EXPERIMENT.tracking.store, str(RESULTS.path.resolve())]
        ),
        store=companions.store_arguments(EXPERIMENT.tracking),
        results=lambda wildcards: RESULTS.path,
    message:
        "Enter the runs and the report into MLflow"
    shell:
        "exec python3 -m online_rnnlm track {params.store:q} {params.results:q} &> {log}"
