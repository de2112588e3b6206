"""The report in words: the sentences beside its tables and figures, and its checklist.

`Markup` is HTML, and plain text is escaped by the templates. The checklist has the items of NAACL's
(2021), in our words, and an experiment's answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.significance import LEVEL
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.storage.audits import Audit
from online_rnnlm.storage.experiments import UntestedClaim

ORIGINS_OF_SETTINGS = Markup(
    "<strong>Published</strong>: given in the author's summary of the paper. "
    "<strong>RNNLM Toolkit's</strong>: the original toolkit's own value, taken from its source. "
    "<strong>Assumed</strong>: chosen here, in the paper's spirit, because the paper itself could "
    "not be consulted. The sizes of the networks are our choice, too."
)
LIMITS: Sequence[Markup] = (
    Markup(
        "The text and the settings are not the paper's: the numbers cannot be compared with the "
        "paper's."
    ),
    Markup(
        "A learning vector, a cache and learning weights use each test word after it was "
        "predicted; a static network does not. That is the idea of the paper, but it means that "
        "the systems do not have the same information."
    ),
    Markup(
        "A cache remembers words from earlier sentences; a vector that is reset at every sentence "
        "does not. If sentences were shuffled, the sentence before says little about the next."
    ),
    Markup(
        "A frozen network is not a fair static one: its weights have learnt to rely on the vector. "
        "The smallest static network with at least as many parameters is a fair one."
    ),
    Markup(
        "Perplexity counts <code>&lt;/s&gt;</code> and <code>&lt;unk&gt;</code>, and can be "
        "compared only on the same text with the same vocabulary."
    ),
    Markup(
        "Words per second were measured on the machine that trained the networks, where other "
        "programs may have run at the same time."
    ),
)


def about_networks(results: Results) -> str:
    """Return a note on the networks' names, their training text, and a single seed."""
    said = [
        "M/D stands for M hidden units and a vector of D numbers, which keeps learning in testing; "
        "0 is a static network."
    ]
    for name, texts in results.corpora.items():
        order = "in order" if results.experiment.corpora[name].keeps_order else "shuffled"
        said.append(f"{name}: {texts.splits['train'].tokens:,} training tokens, {order}.")
    if not results.several_seeds:
        said.append("One seed: nothing here shows how much another one would change.")
    return " ".join(said)


def how_tested(results: Results) -> Markup:
    """Return the note that explains the claims and the test that decides them."""
    chance = Markup("that allows for chance in the test text")
    last = Markup(
        " There is one seed: the verdicts allow for chance in the test text, but not for chance in "
        "training."
    )
    if results.several_seeds:
        chance += Markup(" and in the seeds, of both networks by themselves (Welch)")
        last = Markup("")
    return Markup(
        "Claim a is our reading of the author's summary (EMNLP 2015), which says, in our words, "
        "that updating only a small part of the model in testing gives better results with faster "
        "execution and fewer parameters; b to e take its parts one by one, f and g are questions "
        "of this project. An interval is a 95 % interval {chance}. The text's pieces are articles; "
        "where these are not known, blocks of consecutive sentences, or, if they were shuffled, "
        "sentences. A claim is supported if the p-value, corrected by Holm's method for all "
        "comparisons, is below {level} and the perplexity is lower; refuted if it is higher; else "
        "undecided. Time is processor time, with the networks timed in turn; of a network with "
        "something added, that of its tests.{last}"
    ).format(chance=chance, level=LEVEL, last=last)


def why_not_tested(results: Results, untested: UntestedClaim) -> str:
    """Return a line with a network, the claim, and the reason why it is not tested."""
    where = f" on {untested.corpus}" if results.several_corpora else ""
    return f"{untested.row}{where}: {untested.claim} — {untested.reason}"


def source_of(corpus: str, statistics: Statistics) -> Markup:
    """Return the title, the licence and the origin of a corpus's text."""
    source = statistics.source
    licence = Markup(" Licence: {}.").format(source.licence) if source.licence else ""
    return Markup("<strong>{}</strong>: {}.{} From {}.").format(
        corpus, source.title, licence, source.origin
    )


def said_of_audits(audits: Sequence[Audit]) -> str:
    """Return a sentence on the audit: all networks pass it, or these fail, with the reasons."""
    failed = [f"{audit.name} ({audit.failure})" for audit in audits if audit.failure]
    if failed:
        return f"The audit of the networks is not passed: {'; '.join(failed)}."
    return (
        f"The audit of the networks is passed by all {len(audits)}: no word is known before it is "
        "scored, the probabilities of all words add up to 1, and nothing is kept over a reset "
        "(docs/audit.md)."
    )


def how_to_make_again(results: Results) -> Markup:
    """Return the text before the command that makes a file of the report again."""
    return Markup(
        "The same configuration, code and seed give the same bits on the same machine. Seeds: {}. "
        "This command, in the project's folder and environment, makes a file of this page again, "
        "be it a table, a picture or a run's result:"
    ).format(", ".join(map(str, results.experiment.seeds)))


_NO_SEARCH = Markup(
    "No search in this experiment: its settings are given in the configuration, whose comments may "
    "say how they were found."
)
Answers = Mapping[str, Markup]
"""The answers to some items of the checklist, by the item in our words."""


def checklist(results: Results, facts: Mapping[str, str]) -> dict[str, Answers]:
    """Answer the checklist for an experiment, in parts by their headings.

    `facts` are those of its code and machines.
    """
    return {
        "For all reported experimental results": _on_results(facts),
        "For all experiments with hyperparameter search": _on_search(results),
        "For all datasets used": _on_datasets(results),
    }


def _on_results(facts: Mapping[str, str]) -> Answers:
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
        ).format(facts.get("processor", "None: no training has finished")),
        "The average runtime for each model or algorithm, or estimated energy cost": Markup(
            "Each run's time is in the table of runs. All trainings took {} hours in all."
        ).format(facts["hours of training in all"]),
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
        tried = []
        for key in experiment.searched:
            values = {run.searched[key] for run in runs if key in run.searched}
            tried.append(f"{key}: {_joined(sorted(values))}; ")
        bounds = Markup("{}during testing: learning rates {}, document rates {}.").format(
            "".join(tried),
            _joined(experiment.testing.learning_rates),
            _joined(experiment.testing.document_rates),
        )
        chosen = Markup("In the perplexity table's column of chosen settings.")
        spread = Markup("One seed: there is no spread over seeds to report.")
        if results.several_seeds:
            spread = Markup(
                "Means and sample standard deviations over {} seeds, which the search did not use."
            ).format(len(experiment.seeds))
    return {
        "The exact number of training and evaluation runs": count,
        "The method of choosing hyperparameter values and the criterion used to select among "
        "them": method,
        "Bounds for each hyperparameter": bounds,
        "Hyperparameter configurations for best-performing models": chosen,
        "Summary statistics of the results (e.g. mean, variance, error bars)": spread,
    }


def _joined(values: Sequence[object]) -> str:
    """The values with commas between them."""
    return ", ".join(map(str, values))


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
