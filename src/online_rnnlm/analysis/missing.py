"""The results that an experiment lacks: of what diverged, and of tests that are too small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import Run
from online_rnnlm.storage.records import FailedEvaluation, RunDivergence, Statistics

FEWEST_SENTENCES = 2
"""The smallest test set on which two models can be compared: one sentence gives no interval."""


class NothingToShowError(Exception):
    """The error that a table or figure has nothing to show, since what it is about is missing."""


class Missing(NamedTuple):
    """One thing that is missing."""

    what: str
    """A short name, such as `100/20, seed 1`."""
    why: str
    """The reason in a few words."""
    corpus: str
    line: str
    """The whole reason in one line: what is missing, why, and what can be tried."""
    shown: bool = True
    """True if tables and figures name it; the search's own table shows its candidates."""


class DivergedRun(NamedTuple):
    """A run that has diverged."""

    run: Run
    end: RunDivergence


def missing_run(diverged: DivergedRun) -> Missing:
    """A run of a row, or a candidate of the search, that has diverged."""
    run, end = diverged
    tried = [f"{key} {value}" for key, value in run.searched.items()]
    what = ", ".join([run.model, *tried, f"seed {run.settings.seed}"])
    return Missing(what, "diverged", run.settings.corpus, end.reason, shown=not run.searched)


def missing_evaluation(run: Run, found: FailedEvaluation) -> Missing:
    """An evaluation of a finished run that has no scores."""
    what = f"{run.model}, seed {run.settings.seed}, {found.evaluation}"
    return Missing(what, found.status, run.settings.corpus, found.reason)


def missing_comparisons(
    experiment: Experiment, corpora: Mapping[str, Statistics]
) -> Iterator[Missing]:
    """Yield the corpora whose test set is too small to compare rows with a vector with others."""
    if not any(run.settings.document_size for run in experiment.runs()):
        return
    for corpus, statistics in corpora.items():
        if statistics.splits["test"].sentences < FEWEST_SENTENCES:
            ready = experiment.corpora[corpus].has_ready_splits
            key = f"corpora.{corpus}.{'source.test' if ready else 'test_sentences'}"
            line = (
                f"corpus `{corpus}`: two models cannot be compared on a single test sentence: no "
                f"interval, and no claim is tested; `{key}` must give at least {FEWEST_SENTENCES}"
            )
            yield Missing("intervals and claims", "a single test sentence", corpus, line)


def note(missing: Iterable[Missing], several_corpora: bool) -> list[str]:
    """A note for a table or a caption that names what is missing; none if nothing is."""
    named = [
        f"{one.what}{f' on {one.corpus}' if several_corpora else ''} ({one.why})"
        for one in missing
        if one.shown
    ]
    return [f"Missing: {'; '.join(named)}."] if named else []
