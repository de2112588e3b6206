# One job trains one run. The kernels are compiled once, before all training, in about a minute.

NETWORKS = kernel_networks(EXPERIMENT)


rule kernels:
    output:
        RESULTS.kernels,
    log:
        RESULTS.log("kernels"),
    priority: 50
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=inputs.kernels_code(NETWORKS),
        configuration=RESULTS.configuration,
        networks=names_of(NETWORKS),
        options="",
    message:
        "Compile the kernels"
    shell:
        "exec python3 -m online_rnnlm kernels --config {params.configuration} {params.options}"
        " --log {log}"


# `update` keeps the outputs before the job: if a finished run has the same settings, corpus and
# code, the job recognises it and does not train it again. The run's folder also contains its
# checkpoint and its log.
rule train:
    input:
        inputs_of("train", "run"),
        kernels=RESULTS.kernels,
    output:
        [update(file) for file in inputs.run_files(RUN)],
    log:
        RESULTS.log("train", "{run}"),
    conda:
        ENVIRONMENT
    threads: run_threads
    resources:
        mem_mb=lambda wildcards, attempt: resources.training_mb(
            WORKLOAD_OF(resources.resolved(RESULTS, RUNS[wildcards.run])), attempt
        ),
        runtime=lambda wildcards, attempt: resources.training_minutes(
            WORKLOAD_OF(resources.resolved(RESULTS, RUNS[wildcards.run])), attempt
        ),
        gpu=run_gpus,
    params:
        code=of_job("code", "train", "run"),
        settings=of_job("settings", "train", "run"),
        job=order_of("train", "run"),
        configuration=RESULTS.configuration,
    message:
        "Train {wildcards.run}"
    shell:
        "exec python3 -m online_rnnlm train --config {params.configuration} --run {wildcards.run}"
        " --threads {threads} --job {params.job} --log {log}"
