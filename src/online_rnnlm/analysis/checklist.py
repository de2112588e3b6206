"""The report's reproducibility checklist: the items of NAACL's (2021), and an experiment's answers.

An answer is HTML, since some name commands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from online_rnnlm.analysis.results import Results

_NO_SEARCH = Markup(
    "No search in this experiment: its settings are given in the configuration, whose comments may "
    "say how they were found."
)


class Item(NamedTuple):
    """An item of the checklist, in our words, and the answer."""

    item: str
    answer: Markup


class Part(NamedTuple):
    """A part of the checklist."""

    heading: str
    answered: Sequence[Item]


def checklist(results: Results, facts: Mapping[str, str]) -> list[Part]:
    """Answer the checklist for an experiment; `facts` are those of its code and machines."""
    return [
        Part("For all reported experimental results", _on_results(facts)),
        Part("For all experiments with hyperparameter search", _on_search(results)),
        Part("For all datasets used", _on_datasets(results)),
    ]


def _on_results(facts: Mapping[str, str]) -> list[Item]:
    """Answer what is asked about all results."""
    return [
        Item(
            "A clear description of the mathematical setting, algorithm, and/or model",
            Markup(
                "The README's method section; src/online_rnnlm/core/graph.py is the definition "
                "that every other implementation is tested against."
            ),
        ),
        Item(
            "A link to a downloadable source code, with specification of all dependencies",
            Markup(
                "This repository; locks/requirements.lock pins every package by hash, "
                "environment.yml and pyproject.toml name them."
            ),
        ),
        Item(
            "A description of the computing infrastructure used",
            Markup("{}; more is under “Code, packages and machines”.").format(
                facts.get("processor", "None: no training has finished")
            ),
        ),
        Item(
            "The average runtime for each model or algorithm, or estimated energy cost",
            Markup(
                "Each run's time is in the table of runs. All trainings took {} hours in all."
            ).format(facts["hours of training in all"]),
        ),
        Item(
            "The number of parameters in each model",
            Markup("In the perplexity table, with the multiply-adds per word."),
        ),
        Item(
            "Corresponding validation performance for each reported test result",
            Markup("In the perplexity table, beside the test perplexity."),
        ),
        Item(
            "A clear definition of the specific evaluation measure or statistics used",
            Markup(
                "Perplexity is exp of the mean of -log P over all tokens, &lt;/s&gt; and "
                "&lt;unk&gt; counted; it is also given without &lt;unk&gt;. The tests are "
                "described under the claims; the code is src/online_rnnlm/jobs/ and "
                "src/online_rnnlm/analysis/significance.py."
            ),
        ),
    ]


def _on_search(results: Results) -> list[Item]:
    """Answer what is asked about the search for settings, if there was one."""
    experiment = results.experiment
    runs = experiment.search_runs()
    if not runs:
        count = method = bounds = chosen = spread = _NO_SEARCH
    else:
        count = Markup(
            "{} trainings, one for each combination and row, with seed {}; a row may have a grid "
            "of its own."
        ).format(len(runs), experiment.search_seed)
        method = Markup(
            "Grid search; the criterion is the lowest validation perplexity. The test set is not "
            "used."
        )
        bounds = _bounds(results)
        chosen = Markup("In the perplexity table's column of chosen settings.")
        spread = Markup("One seed: there is no spread over seeds to report.")
        if results.several_seeds:
            spread = Markup(
                "Means and sample standard deviations over {} seeds, which the search did not use."
            ).format(len(experiment.seeds))
    return [
        Item("The exact number of training and evaluation runs", count),
        Item(
            "The method of choosing hyperparameter values and the criterion used to select among "
            "them",
            method,
        ),
        Item("Bounds for each hyperparameter", bounds),
        Item("Hyperparameter configurations for best-performing models", chosen),
        Item("Summary statistics of the results (e.g. mean, variance, error bars)", spread),
    ]


def _bounds(results: Results) -> Markup:
    """The values that the search tried of each setting, and the rates that are tried in testing."""
    experiment = results.experiment
    tried = []
    for key in experiment.searched:
        values = {run.searched[key] for run in experiment.search_runs() if key in run.searched}
        tried.append(f"{key}: {_joined(sorted(values))}; ")
    return Markup("{}during testing: learning rates {}, document rates {}.").format(
        "".join(tried),
        _joined(experiment.testing.learning_rates),
        _joined(experiment.testing.document_rates),
    )


def _joined(values: Sequence[object]) -> str:
    """The values with commas between them."""
    return ", ".join(map(str, values))


def _on_datasets(results: Results) -> list[Item]:
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
    return [
        Item(
            "Relevant statistics such as number of examples and label distributions",
            Markup("In the corpora table."),
        ),
        Item(
            "Details of train/validation/test splits",
            Markup("{}. Test and validation text do not depend on the training size.").format(
                Markup("; ").join(splits)
            ),
        ),
        Item(
            "An explanation of any data that were excluded, and all pre-processing steps",
            Markup(
                "Ready files are taken whole. Of other text, sentences are dropped if they are "
                "repeated, or shorter or longer than the corpus's settings allow; the text is "
                "tokenised and, if so set, lower-cased; words rarer than the vocabulary's minimum "
                "are &lt;unk&gt;. Each step is a rule of the workflow; the files' formats are "
                "described in docs/data-formats.md."
            ),
        ),
        Item(
            "A link to a downloadable version of the dataset",
            Markup("{}. <code>fetch</code> verifies it.").format(Markup("; ").join(sources)),
        ),
        Item("For new data collected, a complete description", Markup("No data were collected.")),
    ]
