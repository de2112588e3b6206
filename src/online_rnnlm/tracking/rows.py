"""The entries of rows in MLflow: the means over a row's seeds, and the verdicts on its claims."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np

from online_rnnlm.storage import records
from online_rnnlm.storage.asked import Asked
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Claim, Claims
from online_rnnlm.tracking.entries import FINISHED, Entry

ROW = "row"
"""The kind of a row's entry."""
_NOTE = "mlflow.note.content"
"""The tag that MLflow's interface shows as a run's description, in Markdown."""
_PERPLEXITY = "test_perplexity"
_KEPT = (
    *("model", "hidden_size", "document_size", "document_layer", "corpus"),
    *("code_digest", "corpus_digest", "updates"),
)
"""The tags that a row has from its runs."""


def row_entries(
    directory: ExperimentDirectory, asked: Asked, found: Sequence[Entry], owner: str
) -> list[Entry]:
    """Return an entry for each row of several seeds whose runs have all finished.

    `found` are the entries of a corpus's runs. A row of a single seed has none: it would say what
    the run says.
    """
    finished = {one.run: one for one in found if one.of_configuration and one.status == FINISHED}
    claims = _claims(directory, asked)
    rows = [[finished[name] for name in names if name in finished] for names in asked.seeds_of_rows]
    return [
        _row_entry(row, claims, owner)
        for row, names in zip(rows, asked.seeds_of_rows, strict=True)
        if len(row) == len(names) > 1
    ]


def _claims(directory: ExperimentDirectory, asked: Asked) -> Sequence[Claim]:
    """Read the claims; there are none if they have not been judged by this configuration."""
    found = records.read_if_there(Claims, directory.claims)
    return found.claims if found and found.settings == asked.digest_of_results else ()


def _row_entry(row: Sequence[Entry], claims: Sequence[Claim], owner: str) -> Entry:
    first = row[0]
    model, corpus = first.tags["model"], first.tags["corpus"]
    metrics = _means(row)
    mine = [claim for claim in claims if (claim.row, claim.corpus) == (model, corpus)]
    seeds = [one.tags["seed"] for one in row]
    tags = {
        "kind": ROW,
        **{key: value for key, value in first.tags.items() if key in _KEPT},
        "seeds": ", ".join(seeds),
        **{f"claim.{number}": verdicts for number, verdicts in _verdicts(mine).items()},
        _NOTE: _note(metrics, mine),
    }
    parameters = {
        key: value
        for key, value in first.parameters.items()
        if all(one.parameters[key] == value for one in row)
    }
    ended = max(one.ended or one.began for one in row)
    content = json.dumps([tags, parameters, metrics, [one.digest for one in row]])
    return Entry(
        run=f"row {model}",
        label=f"{model} · mean of {len(row)} seeds",
        identity=f"row {model} of {owner}",
        began=min(one.began for one in row),
        tags=tags,
        parameters=parameters,
        epochs=[],
        final=[(key, value, ended, 0) for key, value in metrics.items()],
        files={},
        digest=hashlib.sha256(content.encode()).hexdigest(),
        ended=ended,
    )


def _means(row: Sequence[Entry]) -> dict[str, float]:
    """The mean of each final metric over the seeds and, as `<key>_sd`, the deviation.

    It is the sample standard deviation. What Slurm says of jobs is left out.
    """
    values = [{key: value for key, value, _, _ in one.final} for one in row]
    means: dict[str, float] = {}
    for key in values[0]:
        of_seeds = [found[key] for found in values if key in found]
        if len(of_seeds) == len(row) and not key.startswith("slurm/"):
            means[key] = float(np.mean(of_seeds))
            means[f"{key}_sd"] = float(np.std(of_seeds, ddof=1))
    return means


def _verdicts(claims: Sequence[Claim]) -> dict[int, str]:
    """The verdict on each claim by its number; several tests of one claim are joined."""
    found: dict[int, list[str]] = {}
    for claim in claims:
        found.setdefault(claim.number, []).append(claim.verdict)
    return {number: "; ".join(verdicts) for number, verdicts in sorted(found.items())}


def _note(metrics: Mapping[str, float], claims: Sequence[Claim]) -> str:
    """The row's test perplexities and verdicts, in Markdown."""
    lines = ["| tested | test perplexity |", "|---|---:|"]
    for key, value in metrics.items():
        if key.startswith(_PERPLEXITY) and not key.endswith("_sd"):
            how = key.removeprefix(_PERPLEXITY).strip("_").replace("_", " ") or "as trained"
            lines.append(f"| {how} | {value:.2f} ± {metrics[f'{key}_sd']:.2f} |")
    if claims:
        lines += ["", "| verdict | claim |", "|---|---|"]
        lines += [f"| **{claim.verdict}** | {claim.claim} |" for claim in claims]
    return "\n".join(lines)
