"""The reproducibility checklist of NAACL (2021): items in our words, and an experiment's answers.

`Markup` is HTML; what is formatted into it is escaped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from online_rnnlm.analysis import wording
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.trainings import Trainings

Answers = Mapping[str, Markup]
"""The answers to some items of the checklist, by the item."""
_OF_SEARCH = (
    "The exact number of training and evaluation runs",
    "The method of choosing hyperparameter values and the criterion used to select among them",
    "Bounds for each hyperparameter",
    "Hyperparameter configurations for best-performing models",
    "Summary statistics of the results (e.g. mean, variance, error bars)",
)
_NO_SEARCH = Markup(
    "No search in this experiment: its settings are given in the configuration, whose comments may "
    "say how they were found."
)


def checklist(results: Results, trainings: Trainings) -> dict[str, Answers]:
    """Answer the checklist for an experiment, in parts by their headings."""
    return {
        "For all reported experimental results": _on_results(trainings),
        "For all experiments with hyperparameter search": _on_search(results),
        "For all datasets used": _on_datasets(results),
    }


def _on_results(trainings: Trainings) -> Answers:
    """Answer what is asked about all results."""
    return {
        "A clear description of the mathematical setting, algorithm, and/or model": Markup(
            "The README's method section; src/online_rnnlm/core/graph.py is the definition that "
            "every other implementation is tested against."
        ),
        "A link to a downloadable source code, with specification of all dependencies": Markup(
            "This repository; locks/requirements.lock pins every package by hash, environment.yml "
            "and pyproject.toml name them."
        ),
        "A description of the computing infrastructure used": Markup(
            "{}; more is under “Code, packages and machines”."
        ).format(trainings.facts["processor"]),
        "The average runtime for each model or algorithm, or estimated energy cost": Markup(
            "The time of each run of the comparison is in the table of runs. All trainings took {} "
            "hours in all{}."
        ).format(f"{trainings.hours:.2f}", wording.not_counted(trainings)),
        "The number of parameters in each model": Markup(
            "In the perplexity table, with the multiply-adds per word."
        ),
        "Corresponding validation performance for each reported test result": Markup(
            "In the perplexity table, beside the test perplexity."
        ),
        "A clear definition of the specific evaluation measure or statistics used": Markup(
            "Perplexity is exp of the mean of -log P over all tokens, &lt;/s&gt; and &lt;unk&gt; "
            "counted; it is also given without &lt;unk&gt;. The tests are described under the "
            "claims; the code is src/online_rnnlm/jobs/ and "
            "src/online_rnnlm/analysis/significance.py."
        ),
    }


def _on_search(results: Results) -> Answers:
    """Answer what is asked about the search for settings: of training, of testing, or of both."""
    experiment = results.experiment
    runs = experiment.search_runs()
    in_testing = _tried_in_testing(results)
    if not runs and not in_testing:
        return dict.fromkeys(_OF_SEARCH, _NO_SEARCH)
    count = []
    method = [
        "Grid search; the criterion is the lowest validation perplexity. The test set is not used."
    ]
    bounds = []
    spread = "One seed: there is no spread over seeds to report."
    if results.several_seeds:
        spread = f"Means and sample standard deviations over {len(experiment.seeds)} seeds."
    if runs:
        count.append(
            f"{len(runs)} trainings, one for each combination and row, with seed "
            f"{experiment.search_seed}, which nothing else uses; a row may have a grid of its own."
        )
        tried = {
            key: {run.searched[key] for run in runs if key in run.searched}
            for key in experiment.searched
        }
        bounds.append(f"{_shown(tried)}.")
    else:
        count.append(
            "No trainings: the settings of training are given in the configuration, whose comments "
            "may say how they were found."
        )
    if in_testing:
        trials = sum(len(one.curve) for run in results.runs for one in run.evaluations.values())
        count.append(f"In testing, {trials:,} trials, by which each run chooses for itself.")
        method.append(
            "Where both learn in testing, the rate of the weights is chosen before that of the "
            "vector; dynamic evaluation searches its grid by steps."
        )
        bounds.append(f"In testing, {_shown(in_testing)}.")
    chosen = "In the table “Settings chosen”."
    answers = (count, method, bounds, [chosen], [spread])
    return {item: Markup(" ").join(parts) for item, parts in zip(_OF_SEARCH, answers, strict=True)}


def _shown(tried: Mapping[str, set[Any]]) -> str:
    """Settings with the values that were tried."""
    return "; ".join(f"{key}: {', '.join(map(str, sorted(tried[key])))}" for key in tried)


def _tried_in_testing(results: Results) -> Mapping[str, set[Any]]:
    """The values that were tried in testing by their setting, with the rival that has it."""
    tried: dict[str, set[Any]] = defaultdict(set)
    for network in results.networks:
        for run in network.runs:
            for name, tested in run.evaluations.items():
                rival = results.experiment.testing.rivals_by_name.get(name)
                whose = f" of {rival.label}" if rival else ""
                for trial in tested.curve:
                    for key, value in trial.settings.items():
                        tried[f"{key}{whose}"].add(value)
    return tried


def _on_datasets(results: Results) -> Answers:
    """Answer what is asked about the texts."""
    splits = [
        Markup("{}: three ready files").format(name)
        if corpus.has_splits
        else Markup("{}: {}s are shuffled with seed {} and divided").format(
            name, corpus.divide_by, corpus.seed
        )
        for name, corpus in results.experiment.corpora.items()
    ]
    sources = [
        Markup("{}: {}, {}, {}").format(
            name,
            texts.source.title,
            texts.source.origin,
            f"licence {texts.source.licence}" if texts.source.licence else "licence not stated",
        )
        for name, texts in results.corpora.items()
    ]
    return {
        "Relevant statistics such as number of examples and label distributions": Markup(
            "In the corpora table."
        ),
        "Details of train/validation/test splits": Markup(
            "{}. Test and validation text do not depend on the training size."
        ).format(Markup("; ").join(splits)),
        "An explanation of any data that were excluded, and all pre-processing steps": Markup(
            "Ready files are taken whole. Of other text, sentences are dropped if they are "
            "repeated, or shorter or longer than the corpus's settings allow; the text is "
            "tokenised and, if so set, lower-cased; words rarer than the vocabulary's minimum are "
            "&lt;unk&gt;. Each step is a rule of the workflow; the files' formats are described in "
            "docs/data-formats.md."
        ),
        "A link to a downloadable version of the dataset": Markup(
            "{}. <code>fetch</code> verifies it."
        ).format(Markup("; ").join(sources)),
        "For new data collected, a complete description": Markup("No data were collected."),
    }
