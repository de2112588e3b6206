"""The first page of MLflow's interface: an experiment's description, and its views of the runs."""

from __future__ import annotations

import base64
import json
import zlib

from online_rnnlm.tracking.overviews import ROW

VIEW, ROWS = "best", "rows"
"""The keys of the views: the one that the interface opens with, and the one of the rows."""
COMPARED = " and ".join(
    f"tags.kind != '{kind}'" for kind in ("search", "summary", "earlier", "row")
)
"""The search filter that selects the runs of the comparison."""
_COLUMNS = (
    *("metrics.`test_perplexity`", "metrics.`test_perplexity_vector_still`"),
    *("metrics.`valid_perplexity`", "metrics.`parameters`", "metrics.`multiply_adds_per_word`"),
    "tags.`model`",
)


def experiment_tags(name: str) -> dict[str, str]:
    """Return the tags of MLflow's experiment of that name: its description and its views."""
    return {
        # MLflow's interface has one mode for model training and another one for language agents.
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.note.content": f"Runs of `{name}`, a view of the files in `results/`. Filter by "
        "`tags.kind`: `online`, `static`, `search`, `row` (means over the seeds), `summary` (the "
        "report), `earlier` (not in the configuration any more).",
        f"mlflow.sharedViewState.{VIEW}": _view(COMPARED, "params.`seed`"),
        f"mlflow.sharedViewState.{ROWS}": _view(
            f"tags.kind = '{ROW}'", "metrics.`test_perplexity_sd`", "tags.`seeds`"
        ),
    }


def _view(condition: str, *more_columns: str) -> str:
    """Return a view of all runs that fulfil a condition, the best run first.

    MLflow's interface stores views that are shared in the same way.
    """
    view = {
        "searchFilter": condition,
        "orderByKey": "metrics.`test_perplexity`",
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": [*_COLUMNS, *more_columns],
    }
    return "deflate;" + base64.b64encode(zlib.compress(json.dumps(view).encode())).decode()


def page(experiment: str, view: str = VIEW) -> str:
    """Return the path of the page that shows a view of an experiment's runs."""
    # The last parameter selects the interface for model training.
    return f"#/experiments/{experiment}/runs?viewStateShareKey={view}&workflowType=machine_learning"
