"""What MLflow's interface shows at first: an experiment's description, and its view of the runs."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

VIEW = "best"
"""The key of the view that the interface opens with."""
_DESCRIPTION = """\
Runs of `{experiment}` on `{corpus}`; the files in `results/` are the truth, and this is a view.

* **Which model is best?** The view that `make ui` opens: sorted by `test_perplexity`, the vector
  learning where there is one.
* **What does learning during testing bring?** Compare `test_perplexity` with
  `test_perplexity_vector_still`: the same weights, nothing learning.
* **How fast do they learn?** Select runs; *Chart*, `epoch/valid_perplexity`.
* **Only some of them?** Filter by tags: `tags.kind = "online"`, `tags.model = "100/20"`;
  the runs of the search for learning rates have `tags.kind = "search"`.
* **The whole comparison?** The run `summary` has the report, tables, figures and claims.
"""

COMPARED = "tags.kind != 'search' and tags.kind != 'summary'"
"""Filters the runs of the comparison."""
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
"""The best run first, and the columns that matter."""


def experiment_tags(experiment: str, corpus: str) -> dict[str, str]:
    """What an experiment in MLflow is tagged with."""
    return {
        # Model training, not language agents: MLflow's interface has two faces.
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.note.content": _DESCRIPTION.format(experiment=experiment, corpus=corpus),
        # As the interface keeps a view that is shared.
        f"mlflow.sharedViewState.{VIEW}": f"deflate;{_packed(_BEST_FIRST)}",
    }


def _packed(view: dict[str, Any]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(view).encode())).decode()


def page(experiment: str) -> str:
    """The page that shows an experiment's best runs first."""
    # The address says that it is about training.
    return f"#/experiments/{experiment}/runs?viewStateShareKey={VIEW}&workflowType=machine_learning"
