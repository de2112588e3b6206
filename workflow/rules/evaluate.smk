# Every run is tested with nothing learning and, if it has a document vector, with the vector
# learning. `testing` adds further evaluations of the runs, and rivals of each corpus.


rule evaluate:
    input:
        inputs_of("evaluate", "run"),
    output:
        [update(file) for file in inputs.one_evaluation(RESULTS, "{run}", "none")],
    log:
        RESULTS.log("evaluate", "{run}-none"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: resources.testing_mb(
            WORKLOAD_OF(RUNS[wildcards.run]), attempt
        ),
        runtime=lambda wildcards, attempt: resources.testing_minutes(
            WORKLOAD_OF(RUNS[wildcards.run]), attempt
        ),
        gpu=run_gpus,
    params:
        code=of_job("code", "evaluate", "run"),
        job=order_of("evaluate", "run"),
        configuration=RESULTS.configuration,
        how="--evaluation none",
    message:
        "Evaluate {wildcards.run}, with nothing learning"
    shell:
        "exec python3 -m online_rnnlm evaluate --config {params.configuration} --run {wildcards.run}"
        " {params.how} --job {params.job} --log {log}"


use rule evaluate as evaluate_online with:
    output:
        [update(file) for file in inputs.one_evaluation(RESULTS, "{run}", "document_vector")],
        [update(RESULTS.document_vectors("{run}", split)) for split in HELD_OUT],
    log:
        RESULTS.log("evaluate", "{run}-document_vector"),
    params:
        code=of_job("code", "evaluate_online", "run"),
        job=order_of("evaluate_online", "run"),
        configuration=RESULTS.configuration,
        how="--evaluation document_vector",
    message:
        "Evaluate {wildcards.run}, its document vector learning"


ONLINE_NETWORKS = kernel_networks(EXPERIMENT, online=True)


# This kernel has a rule of its own: training does not wait for it, and is not repeated if the
# configuration asks for it later.
use rule kernels as online_kernels with:
    output:
        RESULTS.online_kernels,
    log:
        RESULTS.log("online_kernels"),
    params:
        code=inputs.kernels_code(ONLINE_NETWORKS),
        configuration=RESULTS.configuration,
        networks=names_of(ONLINE_NETWORKS),
        options="--online",
    message:
        "Compile the kernel for what learns during testing"


# One job does all further evaluations of a run, because each takes only seconds, as long as the
# start of a job. The output is the list of the evaluations. A job that was killed repeats only the
# evaluation that it was working on, and then goes on.
use rule evaluate as evaluate_further with:
    input:
        inputs_of("evaluate_further", "run"),
        kernels=RESULTS.online_kernels,
    output:
        update(RESULTS.further_evaluations("{run}")),
    log:
        RESULTS.log("evaluate", "{run}-further"),
    resources:
        mem_mb=lambda wildcards, attempt: resources.testing_mb(
            WORKLOAD_OF(RUNS[wildcards.run]), attempt
        ),
        runtime=lambda wildcards, attempt: resources.further_minutes(
            WORKLOAD_OF(RUNS[wildcards.run]), EXPERIMENT.testing, attempt
        ),
        gpu=run_gpus,
    params:
        code=of_job("code", "evaluate_further", "run"),
        settings=of_job("settings", "evaluate_further", "run"),
        job=order_of("evaluate_further", "run"),
        configuration=RESULTS.configuration,
        how="--further",
    message:
        "Evaluate {wildcards.run} in further ways"


rule rival:
    input:
        inputs_of("rival", "rival"),
    output:
        [update(file) for file in inputs.one_evaluation(RESULTS, "{rival}", "none")],
    log:
        RESULTS.log("evaluate", "{rival}"),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=lambda wildcards, input, attempt: resources.by_size(1400, 40, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.by_size(10, 1, input.size_mb, attempt),
    params:
        code=of_job("code", "rival", "rival"),
        job=order_of("rival", "rival"),
        configuration=RESULTS.configuration,
    message:
        "Train and test {wildcards.rival}"
    shell:
        "exec python3 -m online_rnnlm rival --config {params.configuration} --rival {wildcards.rival}"
        " --job {params.job} --log {log}"
