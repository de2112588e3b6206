"""The audit of the project's own networks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from online_rnnlm.config.evaluations import Learning
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.testing import UnitOfText
from online_rnnlm.corpora.corpus import SENTENCE_END
from online_rnnlm.cross_check.audit import (
    END,
    Audits,
    Scorer,
    Scores,
    Text,
    audit,
    joined,
    last_unit,
    lines_of,
    with_ends,
)
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunResult, read_end
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.network import Network
from online_rnnlm.use.results import load_path
from online_rnnlm.use.state import next_word, read, start

logger = logging.getLogger(__name__)

PLACES, TOLERANCE = 3, 1e-4
_SENTENCES, _DOCUMENT = 8, 2
"""Sentences that networks are audited on, and those of them that are read as a document."""


def of_model(model: TrainedModel, **options: Any) -> Scorer:
    """Return a model as a scorer; the options are those of `TrainedModel.score`."""

    def score(text: Text) -> list[float]:
        lines = lines_of(text)
        sentences = map(" ".join, lines)
        logs = model.log_probabilities(sentences, tokenised=True, **options)
        return joined(lines, [of_line.tolist() for of_line in logs])

    request = model.request(**options)
    unit, words = model.network.unit_of(request), with_ends(model.words)
    return Scorer(score, unit, words, most=len(words), ask=_asking(model.network, request, unit))


def _asking(
    network: Network, request: Learning, unit: UnitOfText
) -> Callable[[Text, Sequence[str]], Scores] | None:
    """Return `Scorer.ask` of a network; None if no state holds all that it learns."""
    try:
        begin = start(network, request)
    except UserError:
        return None

    def ask(text: Text, candidates: Sequence[str]) -> Scores:
        lines = filter(None, lines_of(last_unit(text[:-1], unit)))
        words = [word for line in lines for word in (*line, SENTENCE_END)]
        ended = text[-2:-1] == (END,)
        _, state = read(network, begin, words if ended else words[:-1])
        numbers = network.ids(SENTENCE_END if word == END else word for word in candidates)
        found: list[float] = next_word(network, [state])[0][numbers].tolist()
        return found

    return ask


def audit_networks(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Audit every row's first run as for its number in the table, and write `audits.json`.

    The text is the beginning of `test`, and the kernels score it, whatever engine has trained the
    network. Raises UserError if a model is missing or damaged.
    """
    audits = []
    for run in (row.runs[0] for row in experiment.planned_rows):
        files, corpus = directory.run(run.name), run.settings.corpus
        if isinstance(read_end(files), RunResult):
            with directory.corpus(corpus).text("test").open(encoding="utf-8") as lines:
                sentences = enumerate(islice(lines, _SENTENCES), 1)
                ended = (
                    (*line.split(), END, *[END] * (n % _DOCUMENT == 0)) for n, line in sentences
                )
                text = tuple(word for words in ended for word in words)
            scorer, name = of_model(load_path(files.path)), f"{run.model} on {corpus}"
            audits.append(audit(name, scorer, text, PLACES, TOLERANCE))
            logger.info("%s: %s", name, ", ".join(audits[-1].broken) or "no rule is broken")
    records.write(directory.audits, Audits(audits=tuple(audits)))
