# Every run is tested with nothing learning and, if it has a document vector, with the vector
# learning. `testing` adds further evaluations of the runs, and rivals of each corpus.


rule evaluate:
    input:
        run=inputs.run_files(RUN),
        corpus=run_corpus(*SPLITS),
    output:
        inputs.one_evaluation(RESULTS, "{run}", "none"),
    log:
        RESULTS.log("evaluate", "{run}-none"),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: resources.testing_mb(
            MODEL_OF(RUNS[wildcards.run]), attempt
        ),
        runtime=lambda wildcards, attempt: resources.testing_minutes(
            MODEL_OF(RUNS[wildcards.run]), attempt
        ),
        gpu=run_gpus,
    params:
        code=run_code("evaluate"),
        configuration=RESULTS.configuration,
        how="--evaluation none",
    message:
        "Evaluate {wildcards.run}, with nothing learning"
    shell:
        "exec python3 -m online_rnnlm evaluate --config {params.configuration} --run {wildcards.run}"
        " {params.how} --log {log}"


use rule evaluate as evaluate_online with:
    output:
        inputs.one_evaluation(RESULTS, "{run}", "document_vector"),
        [RESULTS.document_vectors("{run}", split) for split in ("valid", "test")],
    log:
        RESULTS.log("evaluate", "{run}-document_vector"),
    params:
        code=run_code("evaluate"),
        configuration=RESULTS.configuration,
        how="--evaluation document_vector",
    message:
        "Evaluate {wildcards.run}, its document vector learning"


# This kernel has a rule of its own: training does not wait for it, and is not repeated if the
# configuration asks for it later.
use rule kernels as online_kernels with:
    output:
        RESULTS.online_kernels,
    log:
        RESULTS.log("online_kernels"),
    params:
        code=inputs.kernels_code(),
        configuration=RESULTS.configuration,
        precisions=PRECISIONS,
        options="--online",
    message:
        "Compile the kernel for what learns during testing"


# One job does all further evaluations of a run, because each takes only seconds, as long as the
# start of a job. The output is the list of the evaluations. A job that was killed repeats only the
# evaluation that it was working on, and then goes on.
use rule evaluate as evaluate_further with:
    input:
        run=inputs.run_files(RUN),
        corpus=run_corpus(*SPLITS),
        kernels=RESULTS.online_kernels,
    output:
        update(RESULTS.further_evaluations("{run}")),
    log:
        RESULTS.log("evaluate", "{run}-further"),
    resources:
        mem_mb=lambda wildcards, attempt: resources.testing_mb(
            MODEL_OF(RUNS[wildcards.run]), attempt
        ),
        runtime=lambda wildcards, attempt: resources.further_minutes(
            MODEL_OF(RUNS[wildcards.run]), EXPERIMENT.testing, attempt
        ),
        gpu=run_gpus,
    params:
        code=lambda wildcards: inputs.run_code(
            "evaluate",
            RUNS[wildcards.run],
            *inputs.rivals_of_run(RUNS[wildcards.run], EXPERIMENT.testing),
        ),
        configuration=RESULTS.configuration,
        how="--further",
        testing=inputs.testing_settings(EXPERIMENT),
    message:
        "Evaluate {wildcards.run} in further ways"


rule rival:
    input:
        corpus=lambda wildcards: inputs.encoded_files(
            RESULTS.corpus(RIVALS[wildcards.rival].corpus), SPLITS
        ),
    output:
        inputs.one_evaluation(RESULTS, "{rival}", "none"),
    log:
        RESULTS.log("evaluate", "{rival}"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=lambda wildcards, input, attempt: resources.by_size(1400, 40, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.by_size(10, 1, input.size_mb, attempt),
    params:
        code=lambda wildcards: inputs.code("rival", RIVALS[wildcards.rival].rival.module),
        configuration=RESULTS.configuration,
    message:
        "Train and test {wildcards.rival}"
    shell:
        "exec python3 -m online_rnnlm rival --config {params.configuration} --rival {wildcards.rival}"
        " --log {log}"
