"""The audit of the project's own networks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from online_rnnlm.audit.rules import (
    END,
    Audits,
    Scorer,
    Text,
    audit,
    joined,
    last_unit,
    lines_of,
    with_ends,
)
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunResult, read_end
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.results import load_path

logger = logging.getLogger(__name__)

PLACES = 3
TOLERANCE = 1e-4
_SENTENCES = 8
"""Number of sentences that networks are audited on."""
_DOCUMENT = 2
"""Number of sentences that are read as a document."""


def of_model(model: TrainedModel, **options: Any) -> Scorer:
    """Return a model as a scorer; the options are those of `TrainedModel.score`.

    It cannot be asked for candidates if no state holds all that it learns.
    """
    network = model.network
    way = model.way(**options)
    unit = network.unit_of(way)
    words = with_ends(model.words)

    def score(text: Text) -> list[float]:
        lines = lines_of(text)
        sentences = map(" ".join, lines)
        logs = model.log_probabilities(sentences, tokenised=True, **options)
        return joined(lines, [of_line.tolist() for of_line in logs])

    scorer = Scorer(score, unit, words, most=len(words))
    try:
        begin = network.start(way)
    except UserError:
        return scorer

    def ask(text: Text, candidates: Sequence[str]) -> list[float]:
        lines = filter(None, lines_of(last_unit(text[:-1], unit)))
        before = [word for line in lines for word in (*line, SENTENCE_END)]
        has_ended = text[-2:-1] == (END,)
        _, state = network.read(begin, before if has_ended else before[:-1])
        numbers = network.ids(SENTENCE_END if word == END else word for word in candidates)
        logs: list[float] = network.next_word([state])[0][numbers].tolist()
        return logs

    return replace(scorer, ask=ask)


def audit_networks(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Audit every row's first run as for its number in the table, and write `audits.json`.

    The text is the beginning of `test`, and the kernels score it, whatever engine has trained the
    network. Raises UserError if a model is missing or damaged.
    """
    audits = []
    for run in (row.runs[0] for row in experiment.planned_rows):
        files = directory.run(run.name)
        if isinstance(read_end(files), RunResult):
            text = _beginning(directory.corpus(run.corpus_folder).text("test"))
            name = f"{run.model} on {run.settings.corpus}"
            audits.append(audit(name, of_model(load_path(files.path)), text, PLACES, TOLERANCE))
            logger.info("%s: %s", name, ", ".join(audits[-1].broken) or "no rule is broken")
    records.write(directory.audits, Audits(audits=tuple(audits)))


def _beginning(file: Path) -> Text:
    """Return the first sentences of a prepared text, divided into documents."""
    text: list[str] = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(islice(lines, _SENTENCES), 1):
            text += [*line.split(), END]
            if number % _DOCUMENT == 0:
                text.append(END)
    return tuple(text)
