import re

# Every run is tested with still weights; one with a document vector also while it learns, and with
# `testing.updates` while weights do.

WEIGHT_UPDATES = pipeline.weight_updates(EXPERIMENT)


rule evaluate:
    input:
        run=pipeline.run_files(RESULTS.run("{run}")),
        corpus=lambda wildcards: pipeline.encoded_files(
            RESULTS.corpus(RUNS[wildcards.run].settings.corpus), SPLITS
        ),
        code=pipeline.sources("evaluation"),
    output:
        RESULTS.evaluation("{run}", "none"),
        RESULTS.sentence_scores("{run}", "none"),
    log:
        RESULTS.log("evaluate", "{run}-none"),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        configuration=RESULTS.configuration,
        updates="none",
    message:
        "Evaluate {wildcards.run}, with nothing learning"
    shell:
        "python3 -m online_rnnlm evaluate --config {params.configuration} --run {wildcards.run}"
        " --updates {params.updates} --log {log}"


use rule evaluate as evaluate_online with:
    output:
        RESULTS.evaluation("{run}", "document_vector"),
        RESULTS.sentence_scores("{run}", "document_vector"),
        RESULTS.document_vectors("{run}"),
    log:
        RESULTS.log("evaluate", "{run}-document_vector"),
    params:
        configuration=RESULTS.configuration,
        updates="document_vector",
    message:
        "Evaluate {wildcards.run}, its document vector learning"


if WEIGHT_UPDATES:

    # Training does not wait for these, and does not run again when they are asked for.
    use rule kernels as online_kernels with:
        output:
            RESULTS.online_kernels,
        log:
            RESULTS.log("online_kernels"),
        params:
            configuration=RESULTS.configuration,
            precisions=PRECISIONS,
            options="--online",
        message:
            "Compile the kernel for weights that learn during testing"

    use rule evaluate as evaluate_weights with:
        input:
            run=pipeline.run_files(RESULTS.run("{run}")),
            corpus=lambda wildcards: pipeline.encoded_files(
                RESULTS.corpus(RUNS[wildcards.run].settings.corpus), SPLITS
            ),
            kernels=RESULTS.online_kernels,
            code=pipeline.sources("evaluation"),
        output:
            RESULTS.evaluation("{run}", "{updates}"),
            RESULTS.sentence_scores("{run}", "{updates}"),
        log:
            RESULTS.log("evaluate", "{run}-{updates}"),
        wildcard_constraints:
            updates="|".join(map(re.escape, WEIGHT_UPDATES)),
        params:
            configuration=RESULTS.configuration,
            updates="{updates}",
            testing=pipeline.testing_settings(EXPERIMENT),
        message:
            "Evaluate {wildcards.run}, learning: {wildcards.updates}"
