# The preparation of a corpus: the files of its source, articles, sentences, and encoded arrays.
# `corpora/stages.py` says what each stage reads, makes and depends on.

from online_rnnlm.corpora import stages

CORPUS = RESULTS.corpus("{corpus}")
STAGES = {
    corpus: stages.stages_of(settings, RESULTS.corpus(corpus), OTHER_TEXTS)
    for corpus, settings in EXPERIMENT.corpora.items()
}


# Downloads lie in a folder that experiments share, so they are no outputs. This job runs where the
# workflow is started, since the nodes of a cluster often have no network.
rule fetch:
    input:
        of_stage("fetch", lambda stage: stage.inputs),
    output:
        stages.outputs_of("fetch", CORPUS),
    log:
        RESULTS.log("fetch", "{corpus}"),
    localrule: True
    params:
        **stage_params("fetch"),
    message:
        "Fetch the text of {wildcards.corpus}"
    shell:
        verb("fetch", "--corpus {wildcards.corpus}")


rule articles:
    input:
        of_stage("articles", lambda stage: stage.inputs),
    output:
        stages.outputs_of("articles", CORPUS),
    log:
        RESULTS.log("articles", "{corpus}"),
    threads: stage_threads("articles")
    resources:
        mem_mb=text_needs("articles", 1500, 30),
        runtime=text_needs("articles", 15, 3),
    params:
        **stage_params("articles"),
    message:
        "Read the articles of {wildcards.corpus}"
    shell:
        verb("articles", "--corpus {wildcards.corpus} --threads {threads}")


rule sentences:
    input:
        of_stage("sentences", lambda stage: stage.inputs),
    output:
        stages.outputs_of("sentences", CORPUS),
    log:
        RESULTS.log("sentences", "{corpus}"),
    threads: stage_threads("sentences")
    resources:
        mem_mb=text_needs("sentences", 1500, 20),
        runtime=text_needs("sentences", 15, 0.5),
    params:
        **stage_params("sentences"),
    message:
        "Divide {wildcards.corpus} into sentences and tokens"
    shell:
        verb("sentences", "--corpus {wildcards.corpus} --threads {threads}")


rule encode:
    input:
        of_stage("encode", lambda stage: stage.inputs),
    output:
        stages.outputs_of("encode", CORPUS, OTHER_TEXTS),
    log:
        RESULTS.log("encode", "{corpus}"),
    threads: stage_threads("encode")
    resources:
        mem_mb=text_needs("encode", 1500, 30),
        runtime=text_needs("encode", 15, 0.5),
    params:
        **stage_params("encode"),
    message:
        "Encode {wildcards.corpus}"
    shell:
        verb("encode", "--corpus {wildcards.corpus} --threads {threads}")
