"""Digests of the code of the copy of the package that this process has imported."""

import json
from pathlib import Path

from online_rnnlm.config.catalogue import FIGURES
from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.kernel_cache import kernel_sources
from online_rnnlm.storage.code import code_digest
from online_rnnlm.training.identity import code_of


def write_digests(file: str) -> None:
    """Write the digests to a file as JSON, by engine, verb or `compiled`."""
    kinds = {kind: code_of(RunSettings(corpus="some", engine=kind)) for kind in ("kernel", "graph")}
    verbs = ("articles", "sentences", "splits", "vocabulary", "encode")
    verbs += ("train", "figures", "report")
    stages = {verb: code_digest(f"commands.{verb}:run") for verb in verbs}
    modules = (figure.module for figure in FIGURES)
    stages["figures"] = code_digest("commands.figures:run", *modules)
    found = kinds | stages | {"compiled": kernel_sources()}
    Path(file).write_text(json.dumps(found), encoding="utf-8")
