"""The items of NAACL's reproducibility checklist (2021), answered from the experiment's files."""

from __future__ import annotations

from online_rnnlm.analysis.results import Results
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage.records import Machine

Answers = list[tuple[str, str]]
"""The checklist's items, each with its answer."""


def checklist(results: Results) -> dict[str, Answers]:
    """All items with their answers, in the checklist's groups and order."""
    return {
        "For all reported experimental results": _about_results(results),
        "For all experiments with hyperparameter search": _about_search(results),
        "For all datasets used": _about_data(results),
    }


def _about_results(results: Results) -> Answers:
    seconds = [run.result.seconds for run in results.runs]
    busy = sum(run.result.cpu_seconds for run in results.runs)
    cores = busy / max(sum(seconds), 1e-9)
    searched = [run.result.seconds for run in results.search]
    hours = (sum(seconds) + sum(searched)) / 3600
    average = sum(seconds) / max(1, len(seconds))
    return [
        (
            "A clear description of the mathematical setting, algorithm, and/or model",
            "The README's method section; src/online_rnnlm/model/graph.py is the definition that "
            "every other implementation is tested against.",
        ),
        (
            "A link to a downloadable source code, with specification of all dependencies",
            "This repository; requirements.lock pins every package by hash, environment.yml and "
            "pyproject.toml name them.",
        ),
        ("A description of the computing infrastructure used", _machines(results)),
        (
            "The average runtime for each model or algorithm, or estimated energy cost",
            f"Training takes {average:,.0f} s a run on average, on {cores:.1f} cores; each "
            f"run's own time is in the table of runs. All trainings took {hours:.2f} hours in all.",
        ),
        (
            "The number of parameters in each model",
            "In the perplexity table, with the multiply-adds per word.",
        ),
        (
            "Corresponding validation performance for each reported test result",
            "In the perplexity table, beside the test perplexity.",
        ),
        (
            "A clear definition of the specific evaluation measure or statistics used",
            "Perplexity is exp of the mean of -log P over all tokens, </s> and <unk> counted; it "
            "is also given without <unk>. The tests are described under the claims; the code is "
            "src/online_rnnlm/evaluation/ and src/online_rnnlm/analysis/significance.py.",
        ),
    ]


def _about_search(results: Results) -> Answers:
    experiment = results.experiment
    if not experiment.search:
        none = "No search in this experiment: its settings are given in the configuration."
        return [(item, none) for item in _SEARCH_ITEMS]
    trials = len(experiment.search_runs())
    answers = [
        f"{trials} trainings, one for each combination and row, with seed "
        f"{experiment.search_seed}; every row has the same grid.",
        "Grid search; the criterion is the lowest validation perplexity. The test set is not used.",
        "; ".join(f"{key}: {values}" for key, values in experiment.search.items())
        + f"; during testing: learning rates {experiment.testing.learning_rates}, document rates "
        f"{experiment.testing.document_rates}.",
        "In the perplexity table's column of chosen settings.",
        _spread(experiment),
    ]
    return list(zip(_SEARCH_ITEMS, answers, strict=True))


_SEARCH_ITEMS = (
    "The exact number of training and evaluation runs",
    "The method of choosing hyperparameter values and the criterion used to select among them",
    "Bounds for each hyperparameter",
    "Hyperparameter configurations for best-performing models",
    "Summary statistics of the results (e.g. mean, variance, error bars)",
)


def _spread(experiment: Experiment) -> str:
    seeds = len(experiment.seeds)
    if seeds == 1:
        return "One seed: there is no spread over seeds to report."
    return f"Means and sample standard deviations over {seeds} seeds, which the search did not use."


def _about_data(results: Results) -> Answers:
    corpora = results.corpora.values()
    sources = "; ".join(
        f"{s.corpus}: {s.source.title}, {s.source.origin}, licence {s.source.licence or 'unknown'}"
        for s in corpora
    )
    return [
        (
            "Relevant statistics such as number of examples and label distributions",
            "In the corpora table.",
        ),
        ("Details of train/validation/test splits", _splits(results.experiment)),
        (
            "An explanation of any data that were excluded, and all pre-processing steps",
            "Ready files are taken whole. Of other text, sentences are dropped if they are "
            "repeated, or shorter or longer than the corpus's settings allow; the text is "
            "tokenised and, if so set, lower-cased; words rarer than the vocabulary's minimum are "
            "<unk>. Each step is a rule of the workflow; the files' formats are described in "
            "docs/data-formats.md.",
        ),
        ("A link to a downloadable version of the dataset", f"{sources}. `fetch` verifies it."),
        ("For new data collected, a complete description", "No data were collected."),
    ]


def _splits(experiment: Experiment) -> str:
    said = []
    for name, corpus in experiment.corpora.items():
        what = f"{corpus.divide_by}s are shuffled with seed {corpus.seed} and divided"
        said.append(f"{name}: {'three ready files' if corpus.has_ready_splits else what}")
    return "; ".join(said) + ". Test and validation text do not depend on the training size."


def _machines(results: Results) -> str:
    runs = [*results.search, *results.runs]
    found = [_machine(run.record.machine) for run in runs]
    return "; ".join(dict.fromkeys(found)) + "."


def _machine(machine: Machine) -> str:
    gpu = machine.gpu or "no GPU"
    return f"{machine.processor}, {machine.cores} cores, {gpu}, {machine.system}"
