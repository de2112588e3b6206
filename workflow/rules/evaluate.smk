# Every run is tested with still weights; one with a document vector also while it learns; all in
# the further ways that `testing` asks for, and the rivals of each corpus beside them.


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


# Training does not wait for this kernel, and does not run again when it is asked for.
use rule kernels as online_kernels with:
    output:
        RESULTS.online_kernels,
    log:
        RESULTS.log("online_kernels"),
    params:
        code=inputs.code("kernels", "engines.kernel_engine"),
        configuration=RESULTS.configuration,
        precisions=PRECISIONS,
        options="--online",
    message:
        "Compile the kernel for what learns during testing"


# All further ways of testing a run are one job: each takes seconds, as its start would. The list
# of what has been made is the output; a killed job goes on with the one that it was killed in.
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
