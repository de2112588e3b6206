"""The entry of MLflow about all runs of a corpus: the report, and the verdicts on the claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage import records
from online_rnnlm.storage.claims import Claim, Claims
from online_rnnlm.storage.files import digest_of_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.shown import figure_files, table_files
from online_rnnlm.tracking.entries import EARLIER, Entry, existing

SUMMARY = "summary"
"""The kind of this entry."""
CLAIM = "claim."
"""The beginning of the tags with the verdicts on a claim."""


def summaries(
    directory: ExperimentDirectory, experiment: Experiment, found: Sequence[Entry], folder: str
) -> Iterator[Entry]:
    """Yield an entry for each corpus with the report and what it shows, if there is a report.

    Tables and figures of earlier configurations, which may still be in the folder, are left out,
    and so are verdicts on their claims. `folder` is the id of the results folder.
    """
    if not directory.report.is_file():
        return
    written = round(1000 * directory.report.stat().st_mtime)
    files = [
        *existing("tables", table_files(experiment, directory)),
        *existing("figures", figure_files(experiment, directory)),
        *existing("", (directory.report, directory.claims)),
    ]
    judged = records.read_if_there(Claims, directory.claims)
    now = judged is not None and judged.settings == digest_of_json(experiment.of_results())
    for corpus in dict.fromkeys(entry.corpus for entry in found if entry.kind != EARLIER):
        claims = [one for one in judged.claims if one.corpus == corpus] if judged and now else []
        name = f"{SUMMARY} of {corpus}"
        yield Entry(
            name=name,
            corpus=corpus,
            label=SUMMARY,
            identity=f"{name} of {folder}",
            began=written,
            ended=written,
            tags={"kind": SUMMARY, **_verdicts(claims)},
            description="The report, with its tables and figures, is among the artifacts.",
            files=tuple(files),
        )


def _verdicts(claims: Sequence[Claim]) -> dict[str, str]:
    """Return a tag for each claim, such as `100/20: supported; LSTM 100/20: undecided`."""
    verdicts = defaultdict(list)
    for claim in claims:
        verdicts[f"{CLAIM}{claim.number}"].append(f"{claim.model}: {claim.verdict}")
    return {key: "; ".join(found) for key, found in verdicts.items()}
