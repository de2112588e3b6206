"""Preparation of the user's own text as in the workflow.

This is a module of its own because the libraries that divide text take seconds to import, and a
process that only trains should not wait for them.
"""

from __future__ import annotations

from pathlib import Path

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.corpora.encoding import encode
from online_rnnlm.corpora.splitting import write_splits
from online_rnnlm.corpora.vocabulary import write_vocabulary
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory


def prepare_text(files: list[Path], folder: Path, experiment: Experiment) -> CorpusDirectory:
    """Prepare three ready files with the experiment's vocabulary and classes; raises UserError."""
    for file in files:
        if not file.is_file():
            raise UserError(f"{file}: no such file")
    source = {"kind": "text", "tokenised": True, **dict(zip(SPLITS, files, strict=True))}
    like = next(iter(experiment.corpora.values()))
    settings = CorpusSettings.model_validate(
        {"source": source, "vocabulary": like.vocabulary, "classes": like.classes}
    )
    directory = CorpusDirectory(folder / "reference")
    directory.path.mkdir(parents=True, exist_ok=True)
    splits = {split: directory.split(split) for split in SPLITS}
    write_splits(settings, folder, directory.sentences, splits, 1)
    write_vocabulary(settings, directory.split("train"), directory.vocabulary)
    encode(settings, directory.path.name, directory)
    return directory
