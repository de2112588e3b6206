"""The entries that a store has of one experiment in MLflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from online_rnnlm.tracking.entries import FINISHED


@dataclass(frozen=True)
class Known:
    """An entry in a store."""

    id: str
    tags: dict[str, str]
    metrics: dict[str, float]
    began: int
    artifacts: str
    """The address of its artifacts."""
    status: str
    described: bool
    """True if its data set is logged, and thus its parameters, which are logged before."""

    @property
    def finished(self) -> bool:
        """True if it is complete and its run has finished."""
        return "digest" in self.tags and self.status == FINISHED


def known_entry(run: Any) -> Known:
    """Return what a store says of one of its runs."""
    return Known(
        id=run.info.run_id,
        tags=run.data.tags,
        metrics=run.data.metrics,
        began=run.info.start_time,
        artifacts=run.info.artifact_uri,
        status=run.info.status,
        described=bool(run.inputs and run.inputs.dataset_inputs),
    )


def known_entries(client: Any, experiment: str) -> list[Known]:
    """Return all entries of an experiment in a store, the oldest first."""
    found: list[Known] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment],
            order_by=["attributes.start_time"],
            page_token=token,
            max_results=1000,
        )
        found += [known_entry(run) for run in page]
        token = page.token
        if not token:
            return found
