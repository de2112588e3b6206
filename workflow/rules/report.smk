# The results of the runs become tables, claims, figures and the report. Snakemake's own report
# (`snakemake --report`) shows the outputs that are marked with `report`.

TABLES = [table.name for table in catalogue.those_of(catalogue.TABLES, EXPERIMENT)]
FIGURES = [figure.name for figure in catalogue.those_of(catalogue.FIGURES, EXPERIMENT)]


rule tables:
    input:
        corpora=corpus_files(CORPORA, TESTED, *WORDS),
        sentences=collect("<results>/corpora/{corpus}/valid.tokens.txt", corpus=CORPORA),
        runs=collect("<results>/runs/{run}/{file}", run=RUNS, file=RECORDS),
        evaluations=EVALUATION_FILES,
        timings="<results>/timings.json",
    output:
        report(
            collect("<results>/tables/{table}.html", table=TABLES),
            caption="../report/table.rst",
            category="Tables",
        ),
        collect("<results>/tables/{table}.{kind}", table=TABLES, kind=["csv", "md", "tex"]),
    log:
        "<logs>/tables.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        results=RESULTS.path,
        code=EXPERIMENT.digits.of_code(code.of_report(EXPERIMENT)),
        settings=EXPERIMENT.of_results(),
    message:
        "Write the tables"
    shell:
        "python3 -m online_rnnlm tables {params.results} &> {log}"


# Claims, figures and report read what the tables are made from, too. The tables come first, since
# they are made again when settings or code have changed, and all that follows with them.
rule claims:
    input:
        rules.tables.input,
        rules.tables.output,
    output:
        "<results>/claims.json",
    log:
        "<logs>/claims.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        results=RESULTS.path,
    message:
        "Judge the claims"
    shell:
        "python3 -m online_rnnlm claims {params.results} &> {log}"


rule figures:
    input:
        rules.tables.input,
        "<results>/claims.json",
    output:
        report(
            collect("<results>/figures/{figure}.svg", figure=FIGURES),
            caption="../report/figure.rst",
            category="Figures",
        ),
        collect("<results>/figures/{figure}.png", figure=FIGURES),
        "<results>/figures/captions.json",
    log:
        "<logs>/figures.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        results=RESULTS.path,
    message:
        "Draw the figures"
    shell:
        "python3 -m online_rnnlm figures {params.results} &> {log}"


rule report:
    input:
        rules.tables.input,
        rules.tables.output,
        rules.figures.output,
        "<results>/audits.json",
    output:
        report("<results>/report.html", caption="../report/report.rst", category="Report"),
        "<results>/summary.txt",
    log:
        "<logs>/report.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        results=RESULTS.path,
    message:
        "Write the report"
    shell:
        "python3 -m online_rnnlm report {params.results} &> {log}"


# Trainings and evaluations that diverge do not fail: the others get their tables and report. This
# rule fails in their place, after everything else, with one line for each thing that is missing.
# MLflow comes first, but this rule does not wait for it, since a store may be away.
rule complete:
    input:
        "<results>/report.html",
    output:
        "<results>/complete.json",
    log:
        "<logs>/complete.log",
    priority: -1
    retries: 0
    localrule: True
    conda:
        "../../environment.yml"
    params:
        results=RESULTS.path,
    message:
        "Check that nothing is missing"
    shell:
        "python3 -m online_rnnlm complete {params.results} &> {log}"
