# Trainings and evaluations that diverge do not fail: the others get their tables and report. This
# rule fails in their place, after everything else, with one line for each thing that is missing.


rule complete:
    input:
        JOBS.inputs("complete", ""),
    output:
        RESULTS.complete,
    log:
        RESULTS.log("complete"),
    # MLflow comes first. This rule does not wait for it, since a store may be away.
    priority: -1
    retries: 0
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        **whole_job("complete"),
        configuration=RESULTS.configuration,
    message:
        "Check that nothing is missing"
    shell:
        "exec python3 -m online_rnnlm complete --config {params.configuration} --job {params.job} --log {log}"
