# What all rules share: the planned runs, and what they read and leave.

CORPORA = {EXPERIMENT.digits.folder_of(name): corpus for name, corpus in EXPERIMENT.corpora.items()}
RUNS = {run.name: run for run in EXPERIMENT.trainings()}
WORDS = ["vocabulary.tsv", "statistics.json"]
RECORDS = ["run.json", "metrics.jsonl", "result.json"]
RUN_FILES = [*RECORDS, "model.npz"]
OTHER_TEXTS = list(EXPERIMENT.testing.other_texts)
TESTED = [*HELD_OUT, *OTHER_TEXTS]


def corpus_files(folders, texts, *others):
    """Return the arrays of some texts of corpora, and other files of theirs."""
    arrays = collect("{text}.{kind}", text=texts, kind=["npy", "offsets.npy", "articles.npy"])
    return collect("<results>/corpora/{folder}/{name}", folder=folders, name=[*others, *arrays])


def text_threads(wildcards):
    """Return 4, or on this machine at most all cores but one.

    That one is for the rule `compile`, which takes longer than a small text does.
    """
    cores = workflow.resource_settings.cores  # None where jobs go to a cluster
    if cores is None or not workflow.is_main_process:
        return 4
    return max(1, min(4, cores - 1))


def evaluation_files(folder, evaluation):
    """Return the files of an evaluation of a run, or of a corpus's rival."""
    kinds = ["json", *(f"{text}.npy" for text in TESTED)]
    if evaluation == "document_vector":
        kinds += ["valid.vectors.npy", "test.vectors.npy"]
    return collect(f"<results>/evaluations/{folder}/{evaluation}.{{kind}}", kind=kinds)


def workload(wildcards):
    """Return what a run needs, by which its jobs request memory and time."""
    return requests.workload_of(EXPERIMENT, RESULTS, RUNS[wildcards.run])


def code_of_evaluation(run, evaluation):
    """Return the digits of the code that decides an evaluation of a run."""
    planned = RUNS[run]
    tested = planned.evaluations[evaluation]
    return EXPERIMENT.digits.of_code(code.of_evaluation(planned.settings, tested, planned.testing))
