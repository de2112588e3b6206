# Every run is tested with nothing learning and, if it has a document vector, with the vector
# learning. `testing` adds further evaluations of the runs, and rivals of each corpus.

FIRST_RUNS = [row.runs[0].name for row in EXPERIMENT.planned_rows]
EVALUATIONS = {
    (run.name, name): decisive_settings(evaluation, run.testing)
    for run in EXPERIMENT.runs()
    for name, evaluation in run.evaluations.items()
}
RIVALS = EXPERIMENT.corpus_rivals
TIMED = {run: [*timed_evaluations(RUNS[run].settings, RUNS[run].testing)] for run in FIRST_RUNS}
EVALUATION_FILES = [
    *(file for place in EVALUATIONS for file in evaluation_files(*place)),
    *(file for rival in RIVALS for file in evaluation_files(rival, "none")),
]
WITHOUT_OWN_RULE = {name for _, name in EVALUATIONS} - {"document_vector", *MIXTURES}


rule evaluate:
    input:
        run=collect("<results>/runs/{{run}}/{file}", file=RUN_FILES),
        corpus=lambda wildcards: ancient(
            corpus_files(RUNS[wildcards.run].corpus_folder, SPLITS, *WORDS)
        ),
        other_texts=lambda wildcards: corpus_files(RUNS[wildcards.run].corpus_folder, OTHER_TEXTS),
    output:
        "<results>/evaluations/{run}/{evaluation}.json",
        collect(
            "<results>/evaluations/{{run}}/{{evaluation}}.{text}.npy",
            text=TESTED,
        ),
    log:
        "<logs>/evaluate/{run}-{evaluation}.log",
    wildcard_constraints:
        evaluation="|".join(map(re.escape, WITHOUT_OWN_RULE)),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=lambda wildcards, attempt: requests.grown(workload(wildcards).megabytes, attempt),
        runtime=lambda wildcards, attempt: requests.testing_minutes(
            workload(wildcards),
            RUNS[wildcards.run].testing,
            wildcards.get("evaluation", "document_vector"),
            attempt,
        ),
        gpu=lambda wildcards: RUNS[wildcards.run].gpus,
    params:
        results=RESULTS.path,
        code=lambda wildcards: code_of_evaluation(
            wildcards.run, wildcards.get("evaluation", "document_vector")
        ),
        evaluation="{evaluation}",
        settings=lambda wildcards: EVALUATIONS[wildcards.run, wildcards.evaluation],
    message:
        "Evaluate {wildcards.run}: {params.evaluation}"
    shell:
        "python3 -m online_rnnlm evaluate {params.results}"
        " --run {wildcards.run} --evaluation {params.evaluation} &> {log}"


# The evaluation in which the vector learns as in training also leaves the vectors.
use rule evaluate as evaluate_vector with:
    output:
        "<results>/evaluations/{run}/document_vector.json",
        "<results>/evaluations/{run}/document_vector.valid.vectors.npy",
        "<results>/evaluations/{run}/document_vector.test.vectors.npy",
        collect(
            "<results>/evaluations/{{run}}/document_vector.{text}.npy",
            text=TESTED,
        ),
    log:
        "<logs>/evaluate/{run}-document_vector.log",
    params:
        evaluation="document_vector",
        settings={},


# A mixture is made of the scores of other evaluations.
use rule evaluate as mix with:
    input:
        run=collect("<results>/runs/{{run}}/{file}", file=RUN_FILES),
        corpus=lambda wildcards: ancient(
            corpus_files(RUNS[wildcards.run].corpus_folder, SPLITS, *WORDS)
        ),
        other_texts=lambda wildcards: corpus_files(RUNS[wildcards.run].corpus_folder, OTHER_TEXTS),
        parts=lambda wildcards: [
            file
            for part in parts_of_mixture(
                wildcards.evaluation,
                RUNS[wildcards.run].testing,
                run=wildcards.run,
                corpus_folder=RUNS[wildcards.run].corpus_folder,
                document_size=RUNS[wildcards.run].settings.document_size,
            ).values()
            for file in evaluation_files(*part)
        ],
        adaptations=lambda wildcards: [
            file
            for adaptation in adaptations_of_state(
                RUNS[wildcards.run].settings, RUNS[wildcards.run].testing
            )
            for file in evaluation_files(wildcards.run, adaptation.name)
        ],
    wildcard_constraints:
        evaluation="|".join(map(re.escape, MIXTURES)),
    resources:
        mem_mb=lambda wildcards, input, attempt: requests.by_size(1500, 8, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: requests.by_size(15, 0.2, input.size_mb, attempt),
        gpu=0,


rule rival:
    input:
        lambda wildcards: ancient(
            corpus_files(RIVALS[wildcards.rival].corpus_folder, SPLITS, *WORDS)
        ),
        lambda wildcards: corpus_files(RIVALS[wildcards.rival].corpus_folder, OTHER_TEXTS),
    output:
        "<results>/evaluations/{rival}/none.json",
        collect("<results>/evaluations/{{rival}}/none.{text}.npy", text=TESTED),
    log:
        "<logs>/evaluate/{rival}.log",
    wildcard_constraints:
        rival="|".join(map(re.escape, RIVALS)) or "no rival",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=lambda wildcards, input, attempt: requests.by_size(1400, 40, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: requests.by_size(10, 1, input.size_mb, attempt),
    params:
        results=RESULTS.path,
        code=lambda wildcards: EXPERIMENT.digits.of_code(
            code.of_rival(RIVALS[wildcards.rival].kind)
        ),
    message:
        "Train and test {wildcards.rival}"
    shell:
        "python3 -m online_rnnlm rival {params.results} --rival {wildcards.rival} &> {log}"


# Timing runs last, when few other jobs run beside it. Those that do slow all networks alike, because
# the networks take turns. The records of evaluations have the rates and settings that it takes.
rule time:
    input:
        run=collect("<results>/runs/{run}/{file}", run=FIRST_RUNS, file=RUN_FILES),
        evaluations=[
            f"<results>/evaluations/{run}/{name}.json" for run in TIMED for name in TIMED[run]
        ],
        corpus=ancient(corpus_files(list(CORPORA), SPLITS, *WORDS)),
    output:
        "<results>/timings.json",
    log:
        "<logs>/time.log",
    priority: -1
    conda:
        "../../environment.yml"
    resources:
        mem_mb=lambda wildcards, input, attempt: requests.by_size(2500, 8, input.size_mb, attempt),
        runtime=lambda wildcards, attempt: requests.timing_minutes(EXPERIMENT, RESULTS, attempt),
        gpu=max(RUNS[run].gpus for run in FIRST_RUNS),
    params:
        results=RESULTS.path,
        code=EXPERIMENT.digits.of_code(code.of_timings(EXPERIMENT)),
        timed=[TIMED, EXPERIMENT.testing.timed_tokens],
    message:
        "Time the networks side by side"
    shell:
        "python3 -m online_rnnlm time {params.results} &> {log}"


rule audits:
    input:
        run=collect("<results>/runs/{run}/{file}", run=FIRST_RUNS, file=RUN_FILES),
        corpus=ancient(
            collect(
                "<results>/corpora/{folder}/{name}",
                folder=list(CORPORA),
                name=["vocabulary.tsv", "statistics.json", "splitter.json", "test.txt"],
            )
        ),
    output:
        "<results>/audits.json",
    log:
        "<logs>/audits.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=lambda wildcards, input, attempt: requests.by_size(3000, 8, input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: requests.by_size(60, 0.2, input.size_mb, attempt),
    params:
        results=RESULTS.path,
        code=EXPERIMENT.digits.of_code(code.of_audits(EXPERIMENT)),
    message:
        "Audit the networks"
    shell:
        "python3 -m online_rnnlm audits {params.results} &> {log}"
