"""The entries that a store has of one experiment in MLflow."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.copies import Copies
from online_rnnlm.tracking.entries import FINISHED
from online_rnnlm.tracking.stores import Store


@dataclass(frozen=True)
class Target:
    """One experiment in MLflow, and the results folder that is entered there."""

    client: Any
    store: Store
    directory: ExperimentDirectory
    experiment: str
    """MLflow's id of the experiment."""
    copies: Copies

    def delete_artifacts(self, address: str) -> None:
        """Delete the folder above these artifacts, if the store is the experiment's own."""
        place = self.store.folder_of(address)
        if self.store.own and place is not None:
            shutil.rmtree(place.parent, ignore_errors=True)


@dataclass(frozen=True)
class Known:
    """An entry in a store."""

    id: str
    tags: dict[str, str]
    parameters: dict[str, str]
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
        parameters=run.data.params,
        metrics=run.data.metrics,
        began=run.info.start_time,
        artifacts=run.info.artifact_uri,
        status=run.info.status,
        described=bool(run.inputs and run.inputs.dataset_inputs),
    )


def known_entries(client: Any, experiment: str) -> list[Known]:
    """Return all entries of an experiment in a store, the oldest first."""
    ask = partial(
        client.search_runs, [experiment], order_by=["attributes.start_time"], max_results=1000
    )
    return [known_entry(run) for run in on_all_pages(ask)]


def on_all_pages(ask: Callable[..., Any]) -> Iterator[Any]:
    """Yield all that MLflow finds; `ask` returns one page of it, that of its `page_token`."""
    token = None
    while True:
        page = ask(page_token=token)
        yield from page
        token = page.token
        if not token:
            return
