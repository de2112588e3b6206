# Every engine makes the same updates, in a job of its own, and a table compares them (`make engines`).
# No other rule needs the table: it is made only on request.

from online_rnnlm.config.measurements import measurements_of, references_of

REFERENCES = {one.name: one for one in references_of(EXPERIMENT)}
MEASUREMENTS = {one.name: one for one in measurements_of(EXPERIMENT)}
MEASURED = MEASUREMENTS | REFERENCES
OTHERS_MEASURED = [name for name in MEASUREMENTS if name not in REFERENCES]


wildcard_constraints:
    reference="|".join(map(re.escape, REFERENCES)),
    measurement="|".join(map(re.escape, OTHERS_MEASURED)) or "none",


# The table is there when this job fails because an engine differs from the others.
rule engines:
    input:
        RESULTS.table("engines", "csv"),
    log:
        RESULTS.log("engines"),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        configuration=RESULTS.configuration,
    message:
        "Compare the engines"
    shell:
        "exec python3 -m online_rnnlm engines --config {params.configuration} --log {log}"


rule engine_table:
    input:
        [RESULTS.measurement(name) for name in MEASUREMENTS],
    output:
        report(
            RESULTS.table("engines", "html"),
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "engines"},
        ),
        [RESULTS.table("engines", kind) for kind in TABLE_KINDS if kind != "html"],
    log:
        RESULTS.log("engine_table"),
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=inputs.code("engine_table", data="analysis/templates"),
        measurements=list(MEASUREMENTS),
        configuration=RESULTS.configuration,
    message:
        "Write the table of engines"
    shell:
        "exec python3 -m online_rnnlm engine-table --config {params.configuration} --log {log}"


rule measure_engine:
    input:
        corpus=lambda wildcards: measurements.measured_corpus(
            MEASURED[wildcards.measurement], RESULTS
        ),
        reference=lambda wildcards: RESULTS.measurement(
            MEASURED[wildcards.measurement].reference.name, "npz"
        ),
    output:
        RESULTS.measurement("{measurement}"),
    log:
        RESULTS.log("measure_engine", "{measurement}"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=lambda wildcards: measurements.measurement_code(MEASURED[wildcards.measurement]),
        settings=lambda wildcards: measurements.measurement_settings(
            EXPERIMENT, MEASURED[wildcards.measurement]
        ),
        configuration=RESULTS.configuration,
        name="{measurement}",
    message:
        "Measure {wildcards.measurement}"
    shell:
        "exec python3 -m online_rnnlm measure-engine --config {params.configuration}"
        " --measurement {params.name} --log {log}"


use rule measure_engine as measure_reference with:
    input:
        corpus=lambda wildcards: measurements.measured_corpus(
            MEASURED[wildcards.reference], RESULTS
        ),
    output:
        RESULTS.measurement("{reference}"),
        RESULTS.measurement("{reference}", "npz"),
    log:
        RESULTS.log("measure_engine", "{reference}"),
    params:
        code=lambda wildcards: measurements.measurement_code(MEASURED[wildcards.reference]),
        settings=lambda wildcards: measurements.measurement_settings(
            EXPERIMENT, MEASURED[wildcards.reference]
        ),
        configuration=RESULTS.configuration,
        name="{reference}",
    message:
        "Measure {wildcards.reference}, with which the others are compared"
