"""The first page of MLflow's interface: an experiment's description, and its view of the runs."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

VIEW, ROWS = "best", "rows"
"""The keys of the views: the one that the interface opens with, and the one of the rows."""
_DESCRIPTION = """\
Runs of `{experiment}` on `{corpus}`; the files in `results/` are the truth, and this is a view.

* **Which model is best?** The view that `make ui` opens: sorted by `test_perplexity`, the vector
  learning where there is one.
* **What does learning during testing bring?** Compare `test_perplexity` with
  `test_perplexity_vector_still`: the same weights, nothing learning.
* **How fast do they learn?** Select runs; *Chart*, `epoch/valid_perplexity`.
* **Only some of them?** Filter by tags: `tags.kind = "online"`, `tags.model = "100/20"`;
  the runs of the search for learning rates have `tags.kind = "search"`, and those that the
  configuration does not ask for any more have `tags.kind = "earlier"`.
* **Means over the seeds?** Filter by `tags.kind = "row"`: an entry for each row has the mean and
  the standard deviation (`_sd`) of every metric, and the verdicts on its claims.
* **The whole comparison?** The run `summary` has the report, tables, figures and claims.
"""

COMPARED = " and ".join(
    f"tags.kind != '{kind}'" for kind in ("search", "summary", "earlier", "row")
)
"""The search filter that selects the runs of the comparison."""
_BEST_FIRST = {
    "searchFilter": COMPARED,
    "orderByKey": "metrics.`test_perplexity`",
    "orderByAsc": True,
    "startTime": "ALL",
    "lifecycleFilter": "Active",
    "datasetsFilter": [],
    "modelVersionFilter": "All Runs",
    "selectedColumns": [
        "metrics.`test_perplexity`",
        "metrics.`test_perplexity_vector_still`",
        "metrics.`valid_perplexity`",
        "metrics.`parameters`",
        "metrics.`multiply_adds_per_word`",
        "tags.`model`",
        "tags.`seed`",
    ],
}
"""The view with the best run first, and with the most important columns."""
_ROWS = {
    **_BEST_FIRST,
    "searchFilter": "tags.kind = 'row'",
    "selectedColumns": [
        "tags.`model`",
        "metrics.`test_perplexity`",
        "metrics.`test_perplexity_sd`",
        "metrics.`test_perplexity_vector_still`",
        "metrics.`valid_perplexity`",
        "metrics.`parameters`",
        "metrics.`multiply_adds_per_word`",
        "tags.`seeds`",
    ],
}
"""The view of the rows: means over the seeds, the best first."""


def experiment_tags(experiment: str, corpus: str) -> dict[str, str]:
    """Return the tags of an experiment in MLflow."""
    return {
        # MLflow's interface has one mode for model training and another one for language agents.
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.note.content": _DESCRIPTION.format(experiment=experiment, corpus=corpus),
        **view_tags(),
    }


def view_tags() -> dict[str, str]:
    """Return the tags of an experiment that make the views, as the interface stores shared ones."""
    views = {VIEW: _BEST_FIRST, ROWS: _ROWS}
    return {
        f"mlflow.sharedViewState.{key}": f"deflate;{_packed(view)}" for key, view in views.items()
    }


def _packed(view: dict[str, Any]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(view).encode())).decode()


def page(experiment: str, view: str = VIEW) -> str:
    """Return the path of the page that shows a view of an experiment's runs."""
    # The last parameter selects the interface for model training.
    return f"#/experiments/{experiment}/runs?viewStateShareKey={view}&workflowType=machine_learning"
