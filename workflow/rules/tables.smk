# The results of the runs become tables, figures, claims and the report.

from online_rnnlm.config.catalogue import figures_of, tables_of

TABLES = [table.name for table in tables_of(EXPERIMENT) if table.verb == "tables"]
NEIGHBOURS = [table.name for table in tables_of(EXPERIMENT) if table.verb == "neighbours"]
FIGURES = figures_of(EXPERIMENT)
OTHERS = [kind for kind in TABLE_KINDS if kind != "html"]


# Snakemake removes these outputs before their jobs, so `--force` really makes them again.
# Snakemake's own report (`snakemake --report`) shows the outputs that are marked with `report`.


rule tables:
    input:
        JOBS.inputs("tables", ""),
        published=JOBS.published,
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
        [RESULTS.table(table, kind) for table in TABLES for kind in OTHERS],
    log:
        RESULTS.log("tables"),
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        **whole_job("tables"),
        configuration=RESULTS.configuration,
    message:
        "Write the tables"
    shell:
        "exec python3 -m online_rnnlm tables --config {params.configuration} --published {input.published:q}"
        " --job {params.job} --log {log}"


rule figures:
    input:
        JOBS.inputs("figures", ""),
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
        ENVIRONMENT
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        **whole_job("figures"),
        configuration=RESULTS.configuration,
    message:
        "Draw the figures"
    shell:
        "exec python3 -m online_rnnlm figures --config {params.configuration} --job {params.job} --log {log}"


rule claims:
    input:
        JOBS.inputs("claims", ""),
    output:
        RESULTS.claims,
    log:
        RESULTS.log("claims"),
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        **whole_job("claims"),
        configuration=RESULTS.configuration,
    message:
        "Judge the claims"
    shell:
        "exec python3 -m online_rnnlm claims --config {params.configuration} --job {params.job} --log {log}"


if NEIGHBOURS:

    rule neighbours:
        input:
            JOBS.inputs("neighbours", ""),
        output:
            report(
                RESULTS.table("neighbours", "html"),
                caption="../report/table.rst",
                category="Tables",
                labels={"table": "neighbours"},
            ),
            [RESULTS.table("neighbours", kind) for kind in OTHERS],
        log:
            RESULTS.log("neighbours"),
        localrule: True
        conda:
            ENVIRONMENT
        resources:
            mem_mb=1000,
            runtime=30,
        params:
            **whole_job("neighbours"),
            configuration=RESULTS.configuration,
        message:
            "Find sentences with similar document vectors"
        shell:
            "exec python3 -m online_rnnlm neighbours --config {params.configuration} --job {params.job} --log {log}"


rule report:
    input:
        JOBS.inputs("report", ""),
        published=JOBS.published,
    output:
        report(RESULTS.report, caption="../report/report.rst", category="Report"),
    log:
        RESULTS.log("report"),
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        **whole_job("report"),
        configuration=RESULTS.configuration,
    message:
        "Write the report"
    shell:
        "exec python3 -m online_rnnlm report --config {params.configuration} --published {input.published:q}"
        " --job {params.job} --log {log}"
