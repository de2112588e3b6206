"""The first page of MLflow's interface: an experiment's description, and its views of the runs."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence

COMPARED = " and ".join(f"tags.kind != '{kind}'" for kind in ("search", "summary", "earlier"))
"""The search filter that selects the runs of the comparison."""
_METRICS = (
    *("test_perplexity", "test_perplexity_frozen", "testing/multiply_adds_per_word"),
    *("training/parameters", "valid_perplexity"),
)
_BY_NETWORK = {
    "aggregateFunction": "average",
    "groupByKeys": [{"mode": "tag", "groupByData": "network"}],
}


def _stored(condition: str, groups: object = None, metrics: Sequence[str] = _METRICS) -> str:
    """Return a view of all runs that fulfil a condition, sorted by the first metric.

    MLflow's interface stores views that are shared in the same way.
    """
    columns = [f"metrics.`{name}`" for name in metrics]
    view = {
        "searchFilter": condition,
        "orderByKey": columns[0],
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "groupBy": groups,
    }
    return "deflate;" + base64.b64encode(zlib.compress(json.dumps(view).encode())).decode()


BEST, NETWORKS, SEARCH = "best runs first", "means over the seeds", "search for settings"
VIEWS = {
    BEST: ("best", _stored(COMPARED)),
    NETWORKS: ("networks", _stored(COMPARED, _BY_NETWORK)),
    SEARCH: ("search", _stored("tags.kind = 'search'", _BY_NETWORK, ["valid_perplexity"])),
}
"""The keys of the views, and the views themselves, by what they show."""


def experiment_tags(name: str) -> dict[str, str]:
    """Return the tags of MLflow's experiment of that name: its description and its views."""
    return {
        # MLflow's interface has one mode for model training and another one for language agents.
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.note.content": f"Runs of `{name}`, a view of the files in `results/`. Filter by "
        "`tags.kind`: `online`, `static`, `search`, `summary` (the report), `earlier` (not in the "
        "configuration any more).",
        **{f"mlflow.sharedViewState.{key}": view for key, view in VIEWS.values()},
    }


def page(experiment: str, view: str) -> str:
    """Return the path of the page that shows a view of an experiment's runs."""
    # The last parameter selects the interface for model training.
    key = VIEWS[view][0]
    return f"#/experiments/{experiment}/runs?viewStateShareKey={key}&workflowType=machine_learning"
