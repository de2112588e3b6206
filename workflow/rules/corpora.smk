# The preparation of a corpus: the files of its source, articles, sentences, and encoded arrays.
# A corpus's folder is named by its settings, its text and the code that prepares it.


wildcard_constraints:
    corpus="|".join(map(re.escape, CORPORA)),


# Downloads lie in a folder that experiments share, so they are no outputs. This job runs where the
# workflow is started, since the nodes of a cluster often have no network.
rule fetch:
    input:
        lambda wildcards: ancient(source_of(CORPORA[wildcards.corpus].source).user_files()),
    output:
        "<results>/corpora/{corpus}/source.json",
    log:
        "<logs>/fetch/{corpus}.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        results=RESULTS.path,
    message:
        "Fetch the text of {wildcards.corpus}"
    shell:
        "python3 -m online_rnnlm fetch {params.results} --corpus {wildcards.corpus} &> {log}"


rule articles:
    input:
        "<results>/corpora/{corpus}/source.json",
    output:
        "<results>/corpora/{corpus}/articles.jsonl",
        "<results>/corpora/{corpus}/articles.counts.json",
    log:
        "<logs>/articles/{corpus}.log",
    conda:
        "../../environment.yml"
    threads: text_threads
    resources:
        mem_mb=lambda wildcards, input, attempt: requests.by_size(
            1500, 30, requests.text_mb(input), attempt
        ),
        runtime=lambda wildcards, input, attempt: requests.by_size(
            15, 3, requests.text_mb(input), attempt
        ),
    params:
        results=RESULTS.path,
    message:
        "Read the articles of {wildcards.corpus}"
    shell:
        "python3 -m online_rnnlm articles {params.results}"
        " --corpus {wildcards.corpus} --threads {threads} &> {log}"


rule sentences:
    input:
        "<results>/corpora/{corpus}/articles.jsonl",
    output:
        "<results>/corpora/{corpus}/sentences.txt",
        "<results>/corpora/{corpus}/sentences.articles.npy",
        "<results>/corpora/{corpus}/sentences.splitter.json",
        "<results>/corpora/{corpus}/sentences.counts.json",
    log:
        "<logs>/sentences/{corpus}.log",
    conda:
        "../../environment.yml"
    threads: text_threads
    resources:
        mem_mb=lambda wildcards, input, attempt: requests.by_size(
            1500, 20, requests.text_mb(input), attempt
        ),
        runtime=lambda wildcards, input, attempt: requests.by_size(
            15, 0.5, requests.text_mb(input), attempt
        ),
    params:
        results=RESULTS.path,
    message:
        "Divide {wildcards.corpus} into sentences and tokens"
    shell:
        "python3 -m online_rnnlm sentences {params.results}"
        " --corpus {wildcards.corpus} --threads {threads} &> {log}"


# A text in ready splits, or one that is tokenised, has no articles and sentences before this stage.
rule encode:
    input:
        branch(
            lambda wildcards: source_of(CORPORA[wildcards.corpus].source).skips_sentences,
            then="<results>/corpora/{corpus}/source.json",
            otherwise=[
                "<results>/corpora/{corpus}/sentences.txt",
                "<results>/corpora/{corpus}/sentences.articles.npy",
                "<results>/corpora/{corpus}/sentences.splitter.json",
                "<results>/corpora/{corpus}/articles.counts.json",
                "<results>/corpora/{corpus}/sentences.counts.json",
            ],
        ),
        list(EXPERIMENT.testing.other_texts.values()),
    output:
        "<results>/corpora/{corpus}/statistics.json",
        "<results>/corpora/{corpus}/splitter.json",
        "<results>/corpora/{corpus}/vocabulary.tsv",
        "<results>/corpora/{corpus}/valid.tokens.txt",
        "<results>/corpora/{corpus}/test.tokens.txt",
        collect(
            "<results>/corpora/{{corpus}}/{text}.{kind}",
            text=[*SPLITS, *OTHER_TEXTS],
            kind=["npy", "offsets.npy", "articles.npy", "txt"],
        ),
    log:
        "<logs>/encode/{corpus}.log",
    conda:
        "../../environment.yml"
    threads: lambda wildcards: requests.encoding_threads(CORPORA[wildcards.corpus])
    resources:
        mem_mb=lambda wildcards, input, attempt: requests.by_size(
            1500, 30, requests.text_mb(input), attempt
        ),
        runtime=lambda wildcards, input, attempt: requests.by_size(
            15, 0.5, requests.text_mb(input), attempt
        ),
    params:
        results=RESULTS.path,
    message:
        "Encode {wildcards.corpus}"
    shell:
        "python3 -m online_rnnlm encode {params.results}"
        " --corpus {wildcards.corpus} --threads {threads} &> {log}"
