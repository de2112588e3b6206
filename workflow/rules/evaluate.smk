# Every run is tested with still weights; one with a document vector also while it learns.


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
