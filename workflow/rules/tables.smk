# The results of the runs become tables, figures, claims and the report. Snakemake's own report
# (`snakemake --report`) shows the outputs that are marked with `report`.

TABLES = [table.name for table in tables_of(EXPERIMENT)]
FIGURES = [figure.name for figure in figures_of(EXPERIMENT)]


localrules:
    tables,
    figures,
    claims,
    report,
    complete,


rule tables:
    input:
        inputs.result_files(EXPERIMENT, RESULTS),
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
        [RESULTS.table(table, kind) for table in TABLES for kind in TABLE_KINDS if kind != "html"],
    log:
        RESULTS.log("tables"),
    params:
        **params_of("tables"),
    message:
        "Write the tables"
    shell:
        verb("{params.verb}")


use rule tables as claims with:
    output:
        RESULTS.claims,
    log:
        RESULTS.log("claims"),
    params:
        **params_of("claims"),
    message:
        "Judge the claims"


use rule tables as figures with:
    input:
        rules.tables.input,
        rules.claims.output,
    output:
        [
            report(
                RESULTS.figure(figure, "svg"),
                caption="../report/figure.rst",
                category="Figures",
                labels={"figure": figure},
            )
            for figure in FIGURES
        ],
        [RESULTS.figure(figure, "png") for figure in FIGURES],
        RESULTS.captions,
    log:
        RESULTS.log("figures"),
    params:
        **params_of("figures"),
    message:
        "Draw the figures"


use rule tables as report with:
    input:
        rules.tables.input,
        rules.tables.output,
        rules.figures.output,
        rules.claims.output,
        rules.audits.output,
    output:
        report(RESULTS.report, caption="../report/report.rst", category="Report"),
        RESULTS.summary,
    log:
        RESULTS.log("report"),
    params:
        **params_of("report"),
    message:
        "Write the report"


# Trainings and evaluations that diverge do not fail: the others get their tables and report. This
# rule fails in their place, after everything else, with one line for each thing that is missing.
# MLflow comes first, but this rule does not wait for it, since a store may be away.
use rule tables as complete with:
    input:
        rules.tables.input,
        rules.report.output,
    output:
        RESULTS.complete,
    log:
        RESULTS.log("complete"),
    priority: -1
    retries: 0
    params:
        **params_of("complete"),
    message:
        "Check that nothing is missing"
