# The definitions that all rules share: the checked configuration, its runs, and functions of jobs.

RUNS = {run.name: run for run in EXPERIMENT.trainings()}
RUN = RESULTS.run("{run}")
RIVALS = rivals_of_corpora(EXPERIMENT)
OTHER_TEXTS = EXPERIMENT.testing.other_texts


def verb(name, options=""):
    """Return the shell command of a job: a verb of the program, with the configuration."""
    told = f"--config {RESULTS.configuration} {options}"
    return f"exec python3 -m online_rnnlm {name} {told} &> {{log}}"


def of_stage(name, function):
    """Return a function of the wildcards that calls another one with a corpus's stage."""
    return lambda wildcards: function(
        next(stage for stage in STAGES[wildcards.corpus] if stage.name == name)
    )


def stage_params(name):
    """Return the parameters of a stage's rule: its code and its settings."""
    settings = of_stage(name, lambda stage: stage.settings)
    return {"code": code_digest("corpora"), "settings": settings}


def stage_threads(name):
    """Return a function of the wildcards that gives the number of processes of a stage."""
    return of_stage(name, lambda stage: 4 if stage.parallel else 1)


def text_needs(name, base, a_megabyte):
    """Return a function that gives a stage's request, by the size of the text that it reads."""
    text_mb = of_stage(name, lambda stage: stage.input_mb())
    return lambda wildcards, attempt: resources.by_size(
        base, a_megabyte, text_mb(wildcards), attempt
    )


def of_run(function, *more):
    """Return a function of the wildcards that calls another one with the run that they name."""
    return lambda wildcards: function(RUNS[wildcards.run], *more)


def tested(wildcards):
    """Return the run and the evaluation of a job."""
    return RUNS[wildcards.run], getattr(wildcards, "evaluation", DOCUMENT_VECTOR)


def run_corpus(*splits):
    """Return a function of the wildcards that gives the arrays of some splits of a run's corpus."""
    return lambda wildcards: inputs.corpus_files(
        RESULTS.corpus(RUNS[wildcards.run].settings.corpus), splits
    )


def run_needs(request, *more):
    """Return a function of the wildcards and the attempt that gives a request of a run's job."""
    return lambda wildcards, attempt: request(
        resources.workload_of(EXPERIMENT, RESULTS, RUNS[wildcards.run]), *more, attempt
    )


def size_needs(base, a_megabyte):
    """Return a function that gives the request of a job that reads its inputs once."""
    return lambda wildcards, input, attempt: resources.by_size(
        base, a_megabyte, input.size_mb, attempt
    )


def one_of(names):
    """Return the regular expression of a wildcard that is one of these names."""
    return "|".join(map(re.escape, names)) or "none"


def params_of(verb):
    """Return the parameters of a rule that reads all results."""
    settings = inputs.as_json(EXPERIMENT.of_results())
    return {"code": code_digest("analysis", "rivals", "core"), "settings": settings, "verb": verb}


wildcard_constraints:
    corpus=one_of(EXPERIMENT.corpora),
    run=one_of(RUNS),
    rival=one_of(RIVALS),
