# What all rules share: the folder of results, the planned runs, and what they read and leave.

RESULTS = experiment_directory(EXPERIMENT.experiment)
CORPORA = {EXPERIMENT.digits.folder_of(name): corpus for name, corpus in EXPERIMENT.corpora.items()}
RUNS = {run.name: run for run in EXPERIMENT.trainings()}
FIRST_RUNS = [row.runs[0].name for row in EXPERIMENT.planned_rows]
RUN_FILES = ["run.json", "metrics.jsonl", "model.npz", "result.json"]
ARRAYS = ["npy", "offsets.npy", "articles.npy"]
OTHER_TEXTS = list(EXPERIMENT.testing.other_texts)


def corpus_files(folders, *texts):
    """Return the arrays of some texts of a corpus, with its vocabulary and its statistics."""
    names = ["vocabulary.tsv", "statistics.json", *collect("{t}.{kind}", t=texts, kind=ARRAYS)]
    return collect("<results>/corpora/{folder}/{name}", folder=folders, name=names)


def other_text_files(folder):
    """Return the arrays of the texts of another kind, as the words of a corpus."""
    names = collect("{text}.{kind}", text=OTHER_TEXTS, kind=ARRAYS)
    return collect("<results>/corpora/{folder}/{name}", folder=folder, name=names)


def evaluation_files(folder, evaluation):
    """Return the files of an evaluation of a run, or of a corpus's rival."""
    kinds = ["json", "parquet", *(f"{text}.npy" for text in ("valid", "test", *OTHER_TEXTS))]
    if evaluation == "document_vector":
        kinds += ["valid.vectors.npy", "test.vectors.npy"]
    return collect(f"<results>/evaluations/{folder}/{evaluation}.{{kind}}", kind=kinds)


def workload(wildcards):
    """Return the sizes that a run's requests to a scheduler depend on."""
    return requests.workload_of(EXPERIMENT, RESULTS, RUNS[wildcards.run])
