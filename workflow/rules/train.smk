# One job trains one run. A run's folder is named by all that decides its weights, so a corpus that
# is there never makes it train again.


wildcard_constraints:
    run="|".join(map(re.escape, RUNS)),


# The kernels lie in the user's cache. A node of a cluster with another processor compiles its own.
# The file's name has the digits of their code, as the runs' names have: if it were made again under
# one name, Snakemake 9 would leave out all jobs whose inputs of it are `ancient`.
KERNELS = f"compiled/{EXPERIMENT.digits.of_code(code.KERNELS)}.txt"
COMPILED = f"<results>/{KERNELS}"


rule compile:
    output:
        COMPILED,
    log:
        "<logs>/compile.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        results=RESULTS.path,
    message:
        "Compile the kernels"
    shell:
        "python3 -m online_rnnlm compile {params.results} > {output} 2> {log}"


rule train:
    input:
        kernels=lambda wildcards: (
            ancient(COMPILED) if RUNS[wildcards.run].settings.engine == "kernel" else []
        ),
        corpus=lambda wildcards: ancient(
            corpus_files(RUNS[wildcards.run].corpus_folder, ["train", "valid"], *WORDS)
        ),
        candidates=lambda wildcards: collect(
            "<results>/runs/{candidate}/{file}",
            candidate=RUNS[wildcards.run].candidates,
            file=["run.json", "result.json"],
        ),
    output:
        "<results>/runs/{run}/run.json",
        "<results>/runs/{run}/metrics.jsonl",
        "<results>/runs/{run}/model.npz",
        "<results>/runs/{run}/result.json",
    log:
        "<logs>/train/{run}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=lambda wildcards, attempt: requests.grown(workload(wildcards).megabytes, attempt),
        runtime=lambda wildcards, attempt: requests.training_minutes(workload(wildcards), attempt),
        gpu=lambda wildcards: RUNS[wildcards.run].gpus,
    params:
        results=RESULTS.path,
    message:
        "Train {wildcards.run}"
    shell:
        "python3 -m online_rnnlm train {params.results} --run {wildcards.run} &> {log}"
