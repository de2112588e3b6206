"""The choice of a row's settings by a search: those of its candidate that is best on `valid`."""

from __future__ import annotations

from online_rnnlm.config.runs import PlannedRun, Run
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import RunRecord, RunResult, Searched


def resolve(planned: PlannedRun, directory: ExperimentDirectory) -> Run:
    """Fill in the searched settings of a run: those of the best candidate on `valid`.

    The test set is not used. If several candidates are equally good, the first one is chosen.
    Raises UserError if a candidate is not finished.
    """
    settings = planned.settings
    if planned.candidates:
        outcomes = (_outcome(name, directory) for name in planned.candidates)
        _, chosen = min(outcomes, key=lambda outcome: outcome[0])
        settings = settings.model_copy(update=chosen)
    return Run(settings=settings, searched=planned.searched, candidates=planned.candidates)


def _outcome(name: str, directory: ExperimentDirectory) -> tuple[float, Searched]:
    """Read a candidate's validation perplexity and the values that it tried."""
    files = directory.run(name)
    if not (files.result.is_file() and files.record.is_file()):
        raise UserError(f"{files.result}: missing: train the candidate `{name}` first")
    result = records.read(RunResult, files.result)
    return result.valid_perplexity, records.read(RunRecord, files.record).searched
