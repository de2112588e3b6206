"""Scoring of a text in files or on standard input, line by line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tqdm import tqdm

from online_rnnlm.engines.lanes import SENTENCES_A_CALL
from online_rnnlm.errors import WrongInputError
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.network import Request
from online_rnnlm.use.text import Layout, read_text
from online_rnnlm.use.writing import ScoreWriter


def score_text(
    model: TrainedModel,
    files: Sequence[str],
    layout: Layout,
    request: Request,
    writer: ScoreWriter,
    *,
    flush: bool = False,
) -> None:
    """Score a text; with `flush`, each sentence is scored and written before the next is read.

    Raises UserError for text that cannot be read, and if the model diverges.
    """
    if flush and request.unit_of_text != "sentence":
        raise WrongInputError("--flush: needs `--unit-of-text sentence`: nothing may be kept")
    if flush and request.cache is not None:
        raise WrongInputError("--flush: cannot be combined with `--cache`, which reads it all")
    sentences = read_text(files, model.preparation, layout)
    # The bar would be in the way of what is written to the same terminal.
    hidden = True if flush or sys.stdout.isatty() else None
    shown = tqdm(sentences, desc="scored", unit=" sentences", disable=hidden)
    for part in model.score_parts(shown, request, size=1 if flush else SENTENCES_A_CALL):
        writer.add(part)
        if flush:
            sys.stdout.flush()
    writer.finish()
