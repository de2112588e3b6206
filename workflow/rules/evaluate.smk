# Every run is tested with nothing learning and, if it has a document vector, with the vector
# learning. `testing` adds further evaluations of the runs, and rivals of each corpus.

CODE_OF_EVALUATION = code_digest("jobs", "rivals", "core")


rule evaluate:
    input:
        lambda wildcards: inputs.evaluation_inputs(EXPERIMENT, RESULTS, *tested(wildcards)),
    output:
        inputs.evaluation_files(RESULTS, "{run}", "{evaluation}", OTHER_TEXTS),
    log:
        RESULTS.log("evaluate", "{run}-{evaluation}"),
    wildcard_constraints:
        evaluation=one_of(inputs.evaluations_without_vectors(EXPERIMENT)),
    resources:
        mem_mb=run_needs(resources.run_mb),
        runtime=run_needs(resources.testing_minutes, resources.rates(EXPERIMENT.testing)),
        gpu=of_run(resources.gpus),
    params:
        code=CODE_OF_EVALUATION,
        settings=lambda wildcards: inputs.evaluation_settings(EXPERIMENT, *tested(wildcards)),
        evaluation="{evaluation}",
    message:
        "Evaluate {wildcards.run}: {params.evaluation}"
    shell:
        verb("evaluate", "--run {wildcards.run} --evaluation {params.evaluation}")


# The evaluation in which the vector learns as in training also leaves the vectors.
use rule evaluate as evaluate_vector with:
    output:
        inputs.evaluation_files(RESULTS, "{run}", DOCUMENT_VECTOR, OTHER_TEXTS),
    log:
        RESULTS.log("evaluate", f"{{run}}-{DOCUMENT_VECTOR}"),
    params:
        code=CODE_OF_EVALUATION,
        settings=lambda wildcards: inputs.evaluation_settings(EXPERIMENT, *tested(wildcards)),
        evaluation=DOCUMENT_VECTOR,


# This job comes last, when few others run beside it. Those that do slow all networks, which are timed
# in turn.
rule time:
    input:
        inputs.timed_files(EXPERIMENT, RESULTS),
    output:
        RESULTS.timings,
    log:
        RESULTS.log("time"),
    priority: -1
    resources:
        mem_mb=size_needs(1500, 8),
        runtime=size_needs(15, 0.2),
        gpu=max(resources.gpus(row.runs[0]) for row in EXPERIMENT.planned_rows),
    params:
        code=CODE_OF_EVALUATION,
        settings=inputs.timed_settings(EXPERIMENT),
    message:
        "Time the networks side by side"
    shell:
        verb("time")


rule audits:
    input:
        inputs.timed_files(EXPERIMENT, RESULTS),
    output:
        RESULTS.audits,
    log:
        RESULTS.log("audits"),
    resources:
        mem_mb=size_needs(3000, 8),
        runtime=size_needs(60, 0.2),
    params:
        code=code_digest("audit", "use", "core"),
    message:
        "Audit the networks"
    shell:
        verb("audits")


rule rival:
    input:
        lambda wildcards: inputs.corpus_files(
            RESULTS.corpus(RIVALS[wildcards.rival].corpus), [*SPLITS, *OTHER_TEXTS]
        ),
    output:
        inputs.evaluation_files(RESULTS, "{rival}", NONE, OTHER_TEXTS),
    log:
        RESULTS.log("evaluate", "{rival}"),
    resources:
        mem_mb=size_needs(1400, 40),
        runtime=size_needs(10, 1),
    params:
        code=CODE_OF_EVALUATION,
        settings=inputs.as_json(EXPERIMENT.testing.kneser_ney_order),
    message:
        "Train and test {wildcards.rival}"
    shell:
        verb("rival", "--rival {wildcards.rival}")
