"""The choice of a row's settings by a search: those of its candidate that is best on `valid`."""

from __future__ import annotations

import math
from dataclasses import replace

from online_rnnlm.config.runs import Run
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, read_end


def resolve(planned: Run, directory: ExperimentDirectory) -> Run:
    """Fill in the searched settings of a run: those of the best candidate on `valid`.

    The test set is not used. If several candidates are equally good, the first one is chosen. A
    candidate that diverged is not chosen; if all have diverged, the run is `hopeless`. Raises
    UserError if a candidate has not ended.
    """
    if not planned.candidates:
        return planned
    reached = {}
    for name in planned.candidates:
        files = directory.run(name)
        end = read_end(files)
        if end is None or not files.record.is_file():
            raise UserError(f"{files.result}: missing: train the candidate `{name}` first")
        reached[name] = end.reached
    best = min(reached, key=reached.__getitem__)
    chosen = records.read(RunRecord, directory.run(best).record).searched
    settings = planned.settings_with(chosen)
    return replace(planned, settings=settings, chosen=best, hopeless=math.isinf(reached[best]))
