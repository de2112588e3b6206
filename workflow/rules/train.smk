# One job trains one run.


# Snakemake removes the outputs before the job. The run's folder keeps more of them (`kept/`), by
# which the job goes on from a checkpoint, or recognises a finished run of its own.
rule train:
    input:
        run_corpus("train", "valid"),
        of_run(inputs.candidate_files, RESULTS),
    output:
        RUN.finished_files(),
    log:
        RESULTS.log("train", "{run}"),
    resources:
        mem_mb=run_needs(resources.run_mb),
        runtime=run_needs(resources.training_minutes),
        gpu=of_run(resources.gpus),
    params:
        code=code_digest(*OF_TRAINING),
        settings=lambda wildcards: inputs.as_json(
            RUNS[wildcards.run].model_dump(mode="json", exclude={"hopeless"})
        ),
    message:
        "Train {wildcards.run}"
    shell:
        verb("train", "--run {wildcards.run}")
