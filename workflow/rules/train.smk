# One job trains one run. The kernels are compiled before, once: it takes a minute.

RUN = RESULTS.run("{run}")
PRECISIONS = sorted({run.settings.precision for run in RUNS.values()})


def model_of(wildcards):
    """The run's model on its corpus, once that is prepared: what its jobs ask a scheduler for."""
    run = RUNS[wildcards.run]
    corpus = run.settings.corpus
    return resources.model_of(run, EXPERIMENT.corpora[corpus], RESULTS.corpus(corpus))


def gpus_of(wildcards):
    """How many GPUs the run's jobs need."""
    return resources.gpus(RUNS[wildcards.run].settings)


rule kernels:
    input:
        code=pipeline.sources("model.compilation"),
    output:
        RESULTS.kernels,
    log:
        RESULTS.log("kernels"),
    priority: 50
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        configuration=RESULTS.configuration,
        precisions=PRECISIONS,
        options="",
    message:
        "Compile the kernels"
    shell:
        "python3 -m online_rnnlm kernels --config {params.configuration} {params.options}"
        " --log {log}"


# The outputs are not deleted before the job (`update`): a run whose settings, corpus and code are
# those of the finished one is recognised and not trained again. A checkpoint and the run's
# own log lie beside them.
rule train:
    input:
        corpus=lambda wildcards: pipeline.encoded_files(
            RESULTS.corpus(RUNS[wildcards.run].settings.corpus), ["train", "valid"]
        ),
        kernels=RESULTS.kernels,
        candidates=lambda wildcards: [
            file
            for name in RUNS[wildcards.run].candidates
            for file in pipeline.run_files(RESULTS.run(name))
        ],
        code=pipeline.sources("training"),
    output:
        [update(file) for file in pipeline.run_files(RUN)],
    log:
        RESULTS.log("train", "{run}"),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: resources.training_mb(model_of(wildcards), attempt),
        runtime=lambda wildcards, attempt: resources.training_minutes(model_of(wildcards), attempt),
        gpu=gpus_of,
    params:
        configuration=RESULTS.configuration,
        settings=lambda wildcards: pipeline.as_json(RUNS[wildcards.run].model_dump(mode="json")),
    message:
        "Train {wildcards.run}"
    shell:
        "python3 -m online_rnnlm train --config {params.configuration} --run {wildcards.run} --log {log}"
