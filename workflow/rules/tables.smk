# The results of the runs become tables, figures, claims and the report.

from online_rnnlm.config.catalogue import figures_of, tables_of

ALL_TABLES = tables_of(EXPERIMENT)
TABLES = [table.name for table in ALL_TABLES if table.verb == "tables"]
FIGURES = figures_of(EXPERIMENT)
NEIGHBOURS = [table.name for table in ALL_TABLES if table.verb == "neighbours"]
TABLE_MODULES = [table.module for table in ALL_TABLES]
FIGURE_MODULES = [figure.module for figure in FIGURES]
WHOLE_EXPERIMENT = inputs.as_json(EXPERIMENT.model_dump(mode="json", exclude={"downloads"}))

# Snakemake's own report (`snakemake --report`) shows the outputs that are marked with `report`.


rule tables:
    input:
        results=inputs.result_files(EXPERIMENT, RESULTS),
        published="config/published.yaml",
    output:
        [
            report(
                RESULTS.table(table, "html"),
                caption="../report/table.rst",
                category="Tables",
                labels={"table": table},
            )
            for table in TABLES
        ],
        [RESULTS.table(table, kind) for table in TABLES for kind in ("csv", "md", "tex")],
    log:
        RESULTS.log("tables"),
    localrule: True
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=inputs.code(
            "tables",
            *TABLE_MODULES,
            *inputs.rival_modules(EXPERIMENT),
            data="analysis/templates",
        ),
        configuration=RESULTS.configuration,
        experiment=WHOLE_EXPERIMENT,
    message:
        "Write the tables"
    shell:
        "exec python3 -m online_rnnlm tables --config {params.configuration} --published {input.published}"
        " --log {log}"


rule figures:
    input:
        results=inputs.result_files(EXPERIMENT, RESULTS),
        vectors=inputs.vector_files(EXPERIMENT, RESULTS),
    output:
        [
            report(
                RESULTS.figure(figure.name, "svg"),
                caption="../report/figure.rst",
                category="Figures",
                labels={"figure": figure.title},
            )
            for figure in FIGURES
        ],
        [RESULTS.figure(figure.name, "png") for figure in FIGURES],
        RESULTS.captions,
    log:
        RESULTS.log("figures"),
    localrule: True
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=inputs.code("figures", *FIGURE_MODULES, *inputs.rival_modules(EXPERIMENT)),
        configuration=RESULTS.configuration,
        experiment=WHOLE_EXPERIMENT,
    message:
        "Draw the figures"
    shell:
        "exec python3 -m online_rnnlm figures --config {params.configuration} --log {log}"


rule claims:
    input:
        results=inputs.result_files(EXPERIMENT, RESULTS),
    output:
        RESULTS.claims,
    log:
        RESULTS.log("claims"),
    localrule: True
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=inputs.code("claims", *inputs.rival_modules(EXPERIMENT)),
        configuration=RESULTS.configuration,
        experiment=WHOLE_EXPERIMENT,
    message:
        "Judge the claims"
    shell:
        "exec python3 -m online_rnnlm claims --config {params.configuration} --log {log}"


rule neighbours:
    input:
        results=inputs.result_files(EXPERIMENT, RESULTS),
        vectors=inputs.vector_files(EXPERIMENT, RESULTS),
    output:
        report(
            RESULTS.table("neighbours", "html"),
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "neighbours"},
        ),
        [RESULTS.table("neighbours", kind) for kind in ("csv", "md", "tex")],
    log:
        RESULTS.log("neighbours"),
    localrule: True
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=inputs.code("neighbours", *inputs.rival_modules(EXPERIMENT), data="analysis/templates"),
        configuration=RESULTS.configuration,
        experiment=WHOLE_EXPERIMENT,
    message:
        "Find sentences with similar document vectors"
    shell:
        "exec python3 -m online_rnnlm neighbours --config {params.configuration} --log {log}"


rule report:
    input:
        tables=rules.tables.output,
        figures=rules.figures.output,
        claims=rules.claims.output,
        neighbours=rules.neighbours.output if NEIGHBOURS else [],
        published="config/published.yaml",
        results=inputs.result_files(EXPERIMENT, RESULTS),
    output:
        report(RESULTS.report, caption="../report/report.rst", category="Report"),
    log:
        RESULTS.log("report"),
    localrule: True
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=inputs.code(
            "report",
            *TABLE_MODULES,
            *inputs.rival_modules(EXPERIMENT),
            data="analysis/templates",
        ),
        configuration=RESULTS.configuration,
        experiment=WHOLE_EXPERIMENT,
    message:
        "Write the report"
    shell:
        "exec python3 -m online_rnnlm report --config {params.configuration} --published {input.published}"
        " --log {log}"
