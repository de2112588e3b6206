"""Reading and writing files of weights."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.errors import UserError
from online_rnnlm.model.parameters import Parameters, all_finite, check_fit, named
from online_rnnlm.model.sizes import sizes_for
from online_rnnlm.storage import records
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.identity import identity
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.records import RunRecord
from online_rnnlm.storage.runs import check_finished, read_result, refuse_older


def save(parameters: Parameters, path: Path) -> None:
    """Write the weights by name into an `.npz` file, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **parameters._asdict())


def read(path: Path) -> Parameters:
    """Read weights that `save` wrote; raises UserError if the file is missing or damaged."""
    try:
        with np.load(path) as file:
            return named(file)
    except FileNotFoundError:
        raise UserError(f"{path}: missing: train the run first") from None
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise UserError(f"{path}: damaged: {error}") from None


def read_trained(run: RunDirectory, corpus: Corpus) -> Parameters:
    """Read a finished run's weights, to be used with the vocabulary of a corpus.

    Raises UserError if they are not those that the run finished with, if the run was trained on
    another corpus or has diverged, or if they do not fit its settings and the vocabulary.
    """
    record, result = records.read(RunRecord, run.record), read_result(run)
    refuse_older(run.result, result.identity, record)
    if record.corpus_digest != corpus.digest:
        raise UserError(
            f"{run.record}: trained on another corpus than `{record.settings.corpus}` now is"
        )
    if record.identity != identity(record.settings, record.corpus_digest, record.code_digest):
        raise UserError(f"{run.record}: changed since the run began: its identity is another one")
    check_finished(run, result)
    weights = read(run.model)
    _check(weights, record.settings, corpus, run.model)
    return weights


def _check(weights: Parameters, settings: RunSettings, corpus: Corpus, path: Path) -> None:
    check_fit(weights, sizes_for(settings, corpus), settings.precision, path)
    if not all_finite(weights):
        raise UserError(f"{path}: damaged: a weight is not a finite number")
