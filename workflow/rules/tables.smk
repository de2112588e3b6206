# The runs' figures become tables, figures, claims and the report.

TABLE_KINDS = ("csv", "md", "tex", "html")
TABLES = [
    *("corpora", "perplexity"),
    *(["updates"] if EXPERIMENT.testing.updates else []),
    *(["search"] if EXPERIMENT.search else []),
]
FIGURES = ("learning_curves", "perplexity_by_parameters")
WHOLE_EXPERIMENT = pipeline.as_json(EXPERIMENT.model_dump(mode="json", exclude={"downloads"}))
TEMPLATES = sorted(str(file) for file in Path("src/online_rnnlm/analysis/templates").iterdir())
HAS_VECTORS = any(run.settings.document_size for run in RUNS.values())


rule tables:
    input:
        results=pipeline.result_files(EXPERIMENT, RESULTS),
        published="config/published.yaml",
        code=[*pipeline.sources("analysis.tables"), *TEMPLATES],
    output:
        [RESULTS.table(table, kind) for table in TABLES for kind in TABLE_KINDS],
    log:
        RESULTS.log("tables"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        configuration=RESULTS.configuration,
        experiment=WHOLE_EXPERIMENT,
    message:
        "Write the tables"
    shell:
        "python3 -m online_rnnlm tables --config {params.configuration} --published {input.published}"
        " --log {log}"


rule figures:
    input:
        results=pipeline.result_files(EXPERIMENT, RESULTS),
        code=pipeline.sources("analysis.figures"),
    output:
        [RESULTS.figure(figure, kind) for figure in FIGURES for kind in ("svg", "png")],
    log:
        RESULTS.log("figures"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        configuration=RESULTS.configuration,
        experiment=WHOLE_EXPERIMENT,
    message:
        "Draw the figures"
    shell:
        "python3 -m online_rnnlm figures --config {params.configuration} --log {log}"


rule claims:
    input:
        results=pipeline.result_files(EXPERIMENT, RESULTS),
        code=pipeline.sources("analysis.claims"),
    output:
        RESULTS.claims,
    log:
        RESULTS.log("claims"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        configuration=RESULTS.configuration,
        experiment=WHOLE_EXPERIMENT,
    message:
        "Judge the claims"
    shell:
        "python3 -m online_rnnlm claims --config {params.configuration} --log {log}"


rule neighbours:
    input:
        results=pipeline.result_files(EXPERIMENT, RESULTS),
        vectors=[
            RESULTS.document_vectors(run.name)
            for run in RUNS.values()
            if run.settings.document_size
        ],
        code=[*pipeline.sources("analysis.neighbours"), *TEMPLATES],
    output:
        [RESULTS.table("neighbours", kind) for kind in TABLE_KINDS],
    log:
        RESULTS.log("neighbours"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        configuration=RESULTS.configuration,
        experiment=WHOLE_EXPERIMENT,
    message:
        "Find sentences with similar document vectors"
    shell:
        "python3 -m online_rnnlm neighbours --config {params.configuration} --log {log}"


rule report:
    input:
        tables=rules.tables.output,
        figures=rules.figures.output,
        claims=rules.claims.output,
        neighbours=rules.neighbours.output if HAS_VECTORS else [],
        published="config/published.yaml",
        results=pipeline.result_files(EXPERIMENT, RESULTS),
        code=[*pipeline.sources("analysis.report"), *TEMPLATES],
    output:
        RESULTS.report,
    log:
        RESULTS.log("report"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        configuration=RESULTS.configuration,
        experiment=WHOLE_EXPERIMENT,
    message:
        "Write the report"
    shell:
        "python3 -m online_rnnlm report --config {params.configuration} --published {input.published}"
        " --log {log}"
