# The preparation of a corpus: articles, sentences, splits, a vocabulary and arrays.

import re

CORPUS = RESULTS.corpus("{corpus}")
DOWNLOADS = inputs.downloads(EXPERIMENT)


# A download is identified by its checksum, so a change of the code does not repeat it. A file that
# exists already is only verified.
rule fetch:
    output:
        update(EXPERIMENT.downloads / "{file}"),
    log:
        RESULTS.log("fetch", "{file}"),
    wildcard_constraints:
        file="|".join(map(re.escape, DOWNLOADS)) or "none",
    localrule: True
    conda:
        "../../environment.yml"
    resources:
        mem_mb=500,
        runtime=30,
    params:
        configuration=RESULTS.configuration,
        sha256=lambda wildcards: DOWNLOADS[wildcards.file].sha256,
    message:
        "Fetch {wildcards.file}"
    shell:
        "exec python3 -m online_rnnlm fetch --config {params.configuration} {output} --log {log}"


rule articles:
    input:
        source=lambda wildcards: inputs.article_inputs(EXPERIMENT, wildcards.corpus),
    output:
        CORPUS.articles,
    log:
        RESULTS.log("articles", "{corpus}"),
    conda:
        "../../environment.yml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, input, attempt: resources.by_size(1500, 30, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.by_size(15, 3, input.size_mb, attempt),
    params:
        code=lambda wildcards: inputs.corpus_code("articles", EXPERIMENT.corpora[wildcards.corpus]),
        configuration=RESULTS.configuration,
        settings=lambda wildcards: inputs.stage_settings(
            "articles", EXPERIMENT.corpora[wildcards.corpus]
        ),
    message:
        "Read the articles of {wildcards.corpus}"
    shell:
        "exec python3 -m online_rnnlm articles --config {params.configuration} --corpus {wildcards.corpus}"
        " --threads {threads} --log {log}"


rule sentences:
    input:
        articles=CORPUS.articles,
    output:
        CORPUS.sentences,
        CORPUS.sentence_articles,
    log:
        RESULTS.log("sentences", "{corpus}"),
    conda:
        "../../environment.yml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, input, attempt: resources.by_size(1500, 20, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.by_size(15, 0.5, input.size_mb, attempt),
    params:
        code=inputs.code("sentences"),
        configuration=RESULTS.configuration,
        settings=lambda wildcards: inputs.stage_settings(
            "sentences", EXPERIMENT.corpora[wildcards.corpus]
        ),
    message:
        "Divide {wildcards.corpus} into sentences and tokens"
    shell:
        "exec python3 -m online_rnnlm sentences --config {params.configuration} --corpus {wildcards.corpus}"
        " --threads {threads} --log {log}"


rule splits:
    input:
        sentences=lambda wildcards: inputs.split_inputs(
            EXPERIMENT.corpora[wildcards.corpus], RESULTS.corpus(wildcards.corpus)
        ),
    output:
        [CORPUS.split(split) for split in SPLITS],
        [CORPUS.split_articles(split) for split in SPLITS],
    log:
        RESULTS.log("splits", "{corpus}"),
    conda:
        "../../environment.yml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, input, attempt: resources.by_size(1000, 20, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.by_size(10, 0.2, input.size_mb, attempt),
    params:
        code=lambda wildcards: inputs.corpus_code("splits", EXPERIMENT.corpora[wildcards.corpus]),
        configuration=RESULTS.configuration,
        settings=lambda wildcards: inputs.stage_settings(
            "splits", EXPERIMENT.corpora[wildcards.corpus]
        ),
    message:
        "Split {wildcards.corpus} into train, valid and test"
    shell:
        "exec python3 -m online_rnnlm splits --config {params.configuration} --corpus {wildcards.corpus}"
        " --threads {threads} --log {log}"


rule vocabulary:
    input:
        train=CORPUS.split("train"),
    output:
        CORPUS.vocabulary,
    log:
        RESULTS.log("vocabulary", "{corpus}"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=lambda wildcards, input, attempt: resources.by_size(1000, 10, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.by_size(10, 0.1, input.size_mb, attempt),
    params:
        code=inputs.code("vocabulary"),
        configuration=RESULTS.configuration,
        settings=lambda wildcards: inputs.stage_settings(
            "vocabulary", EXPERIMENT.corpora[wildcards.corpus]
        ),
    message:
        "Count the words of {wildcards.corpus}"
    shell:
        "exec python3 -m online_rnnlm vocabulary --config {params.configuration} --corpus {wildcards.corpus}"
        " --log {log}"


rule encode:
    input:
        splits=[CORPUS.split(split) for split in SPLITS],
        articles=[CORPUS.split_articles(split) for split in SPLITS],
        vocabulary=CORPUS.vocabulary,
    output:
        CORPUS.statistics,
        [CORPUS.text(split) for split in SPLITS],
        [CORPUS.stream(split) for split in SPLITS],
        [CORPUS.offsets(split) for split in SPLITS],
    log:
        RESULTS.log("encode", "{corpus}"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=lambda wildcards, input, attempt: resources.by_size(1000, 20, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.by_size(10, 0.2, input.size_mb, attempt),
    params:
        code=lambda wildcards: inputs.corpus_code("encode", EXPERIMENT.corpora[wildcards.corpus]),
        configuration=RESULTS.configuration,
        settings=lambda wildcards: inputs.stage_settings(
            "encode", EXPERIMENT.corpora[wildcards.corpus]
        ),
    message:
        "Encode {wildcards.corpus}"
    shell:
        "exec python3 -m online_rnnlm encode --config {params.configuration} --corpus {wildcards.corpus}"
        " --log {log}"
