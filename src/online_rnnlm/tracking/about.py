"""The description, the data sets and the commit of a run, for MLflow."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from online_rnnlm.corpora.records import Statistics
from online_rnnlm.storage.code import core_digest
from online_rnnlm.storage.paths import SPLITS
from online_rnnlm.storage.runs import RunRecord

FROZEN = "_frozen"
"""The ending of the metrics of a frozen vector."""
RUN_ID = "RUN_ID"
"""The place of MLflow's id of the run in a description."""


def description(name: str, failures: Sequence[str], values: Mapping[str, float]) -> str:
    """Say in Markdown what a run is, what it reached, and how its model is loaded."""
    if failures or not values:
        return f"{name}: {failures[0] if failures else 'not finished yet'}."
    if "test_perplexity" not in values:
        return f"{name}, for the search: valid perplexity {values['valid_perplexity']:.2f}."
    frozen = values.get(f"test_perplexity{FROZEN}")
    also = "" if frozen is None else f", {frozen:.2f} frozen"
    return (
        f"{name}: test perplexity {values['test_perplexity']:.2f}{also}. Load it with\n\n"
        f'    mlflow.pyfunc.load_model("runs:/{RUN_ID}/model")\n'
    )


def datasets(record: RunRecord, corpus: Statistics | None) -> dict[str, dict[str, str]]:
    """Return MLflow's data sets of the splits that a run uses; a search does not read `test`."""
    name = record.settings.corpus
    source = {} if corpus is None else corpus.source.model_dump(mode="json")
    return {
        split: {
            "name": f"{name} {split}",
            "digest": record.corpus_digest[:36],  # MLflow accepts at most 36 characters.
            "source_type": "local",
            "source": json.dumps({"uri": f"corpora/{name}/{split}.txt", **source}),
        }
        for split in SPLITS[: 2 if record.searched else 3]
    }


@cache
def _commit() -> dict[str, str]:
    """Return the last commit that changed the code of training, by that code's digest.

    It is empty where there is no git, and if that code has changes that are not committed.
    """
    package = Path(__file__).parents[1]

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(package), *arguments, "--", "core"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        commit, changes = git("log", "-1", "--format=%H"), git("status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {core_digest(): commit} if commit and not changes else {}


def source_tags(digest: str) -> dict[str, str]:
    """Return MLflow's tags of the code with this digest; its commit, as far as it is known now."""
    commit = _commit().get(digest)
    tags = {"mlflow.source.name": "online-rnnlm", "mlflow.source.type": "LOCAL"}
    return tags | ({"mlflow.source.git.commit": commit} if commit else {})
