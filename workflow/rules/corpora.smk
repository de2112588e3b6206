# The preparation of a corpus: articles, sentences, splits, a vocabulary and arrays.

CORPUS = RESULTS.corpus("{corpus}")
DOWNLOADS = inputs.downloads(EXPERIMENT)


# A download is identified by its checksum or its address, so a change of the code does not repeat
# it. A file that exists already is only verified.
rule fetch:
    output:
        update(EXPERIMENT.downloads / "{file}"),
    log:
        RESULTS.log("fetch", "{file}"),
    wildcard_constraints:
        file="|".join(map(re.escape, DOWNLOADS)) or "none",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=500,
        runtime=30,
    params:
        configuration=RESULTS.configuration,
        identity=lambda wildcards: DOWNLOADS[wildcards.file].identity,
    message:
        "Fetch {wildcards.file}"
    shell:
        "exec python3 -m online_rnnlm fetch --config {params.configuration} {output} --log {log}"


rule articles:
    input:
        inputs_of("articles", "corpus"),
    output:
        update(CORPUS.articles),
        update(CORPUS.counts("articles")),
    log:
        RESULTS.log("articles", "{corpus}"),
    conda:
        ENVIRONMENT
    threads: 4
    resources:
        mem_mb=lambda wildcards, input, attempt: resources.by_size(1500, 30, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.by_size(15, 3, input.size_mb, attempt),
    params:
        code=of_job("code", "articles", "corpus"),
        settings=of_job("settings", "articles", "corpus"),
        job=order_of("articles", "corpus"),
        configuration=RESULTS.configuration,
    message:
        "Read the articles of {wildcards.corpus}"
    shell:
        "exec python3 -m online_rnnlm articles --config {params.configuration} --corpus {wildcards.corpus}"
        " --threads {threads} --job {params.job} --log {log}"


rule sentences:
    input:
        inputs_of("sentences", "corpus"),
    output:
        update(CORPUS.sentences),
        update(CORPUS.sentence_articles),
        update(CORPUS.counts("sentences")),
    log:
        RESULTS.log("sentences", "{corpus}"),
    conda:
        ENVIRONMENT
    threads: 4
    resources:
        mem_mb=lambda wildcards, input, attempt: resources.by_size(1500, 20, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.by_size(15, 0.5, input.size_mb, attempt),
    params:
        code=of_job("code", "sentences", "corpus"),
        settings=of_job("settings", "sentences", "corpus"),
        job=order_of("sentences", "corpus"),
        configuration=RESULTS.configuration,
    message:
        "Divide {wildcards.corpus} into sentences and tokens"
    shell:
        "exec python3 -m online_rnnlm sentences --config {params.configuration} --corpus {wildcards.corpus}"
        " --threads {threads} --job {params.job} --log {log}"


rule splits:
    input:
        inputs_of("splits", "corpus"),
    output:
        [update(CORPUS.split(split)) for split in SPLITS],
        [update(CORPUS.split_articles(split)) for split in SPLITS],
        update(CORPUS.counts("splits")),
    log:
        RESULTS.log("splits", "{corpus}"),
    conda:
        ENVIRONMENT
    threads: 4
    resources:
        mem_mb=lambda wildcards, input, attempt: resources.by_size(1000, 20, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.by_size(10, 0.2, input.size_mb, attempt),
    params:
        code=of_job("code", "splits", "corpus"),
        settings=of_job("settings", "splits", "corpus"),
        job=order_of("splits", "corpus"),
        configuration=RESULTS.configuration,
    message:
        "Split {wildcards.corpus} into train, valid and test"
    shell:
        "exec python3 -m online_rnnlm splits --config {params.configuration} --corpus {wildcards.corpus}"
        " --threads {threads} --job {params.job} --log {log}"


rule vocabulary:
    input:
        inputs_of("vocabulary", "corpus"),
    output:
        update(CORPUS.vocabulary),
    log:
        RESULTS.log("vocabulary", "{corpus}"),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=lambda wildcards, input, attempt: resources.by_size(1000, 10, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.by_size(10, 0.1, input.size_mb, attempt),
    params:
        code=of_job("code", "vocabulary", "corpus"),
        settings=of_job("settings", "vocabulary", "corpus"),
        job=order_of("vocabulary", "corpus"),
        configuration=RESULTS.configuration,
    message:
        "Count the words of {wildcards.corpus}"
    shell:
        "exec python3 -m online_rnnlm vocabulary --config {params.configuration} --corpus {wildcards.corpus}"
        " --job {params.job} --log {log}"


rule encode:
    input:
        inputs_of("encode", "corpus"),
    output:
        update(CORPUS.statistics),
        [update(CORPUS.text(split)) for split in SPLITS],
        [update(CORPUS.stream(split)) for split in SPLITS],
        [update(CORPUS.offsets(split)) for split in SPLITS],
    log:
        RESULTS.log("encode", "{corpus}"),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=lambda wildcards, input, attempt: resources.by_size(1000, 20, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.by_size(10, 0.2, input.size_mb, attempt),
    params:
        code=of_job("code", "encode", "corpus"),
        settings=of_job("settings", "encode", "corpus"),
        job=order_of("encode", "corpus"),
        configuration=RESULTS.configuration,
    message:
        "Encode {wildcards.corpus}"
    shell:
        "exec python3 -m online_rnnlm encode --config {params.configuration} --corpus {wildcards.corpus}"
        " --job {params.job} --log {log}"
