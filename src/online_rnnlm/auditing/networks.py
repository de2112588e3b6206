"""The audit of this project's networks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import islice
from typing import Any

from online_rnnlm.auditing.rules import audit_scorer
from online_rnnlm.auditing.scorer import AuditedScorer, Lines, Token
from online_rnnlm.config.plan import load_plan
from online_rnnlm.corpora.textfiles import SENTENCE_END, read_lines, words_of
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Audits
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import has_finished
from online_rnnlm.use.places import read_run
from online_rnnlm.use.scoring import TextScorer
from online_rnnlm.use.text import sentences_of

logger = logging.getLogger(__name__)

PLACES = 3
TOLERANCE = 1e-4
_SENTENCES = 8
"""Number of sentences that networks are audited on."""
_DOCUMENT = 2
"""Number of sentences that are read as a document."""


def of_model(scorer: TextScorer, **options: Any) -> AuditedScorer:
    """Return a scorer of text as one that can be audited, by `AdaptationOptions`.

    It cannot be asked for candidates if no state holds all that it learns.
    """
    network = scorer.network
    adaptation = scorer.adaptation(**options)
    unit = network.unit_of(adaptation)

    def score(lines: Lines) -> list[list[float]]:
        texts = (" ".join(map(str, line)) for line in lines)
        sentences = sentences_of(texts, scorer.preparation, "tokenised")
        parts = scorer.score_parts(sentences, adaptation)
        return [logs.tolist() for part in parts for logs in part.by_sentence]

    def ask(lines: Lines, place: int, candidates: Sequence[Token]) -> list[float]:
        read: list[str] = []  # what is not forgotten
        for line in lines[:-1]:
            read += [*map(str, line), SENTENCE_END] if line else []
            if unit == "sentence" or (unit == "document" and not line):
                read = []
        read += map(str, lines[-1][:place])
        _, state = network.read(network.start(adaptation), read)
        numbers = network.ids(map(str, candidates))
        logs: list[float] = network.next_word([state])[0][numbers].tolist()
        return logs

    asked = ask if network.can_continue(adaptation) else None
    words = network.corpus.words
    return AuditedScorer(score, unit, words, SENTENCE_END, most=len(words), ask_in_line=asked)


def audit_networks(directory: ExperimentDirectory) -> None:
    """Audit the first run of every row, and write `audits.json`.

    The network reads as in its main evaluation, whose perplexity is in the table. The text is the
    beginning of `test`, and the kernels score it, whatever engine has trained the network. Raises
    UserError if a model is missing or damaged.
    """
    audits = []
    for run in (row.runs[0] for row in load_plan(directory.configuration).planned_rows):
        if has_finished(directory.run(run.name)):
            text = read_lines(directory.corpus(run.corpus_folder).text("test"))
            lines: list[list[str]] = []
            for number, line in enumerate(islice(text, _SENTENCES), 1):
                lines += [words_of(line)] if number % _DOCUMENT else [words_of(line), []]
            name = f"{run.network_name} on {run.settings.corpus}"
            scorer = of_model(TextScorer.of(read_run(directory, run.name)))
            audits.append(audit_scorer(name, scorer, lines, PLACES, TOLERANCE))
            logger.info("%s: %s", name, audits[-1].failure or "no rule is broken")
    records.write(directory.audits, Audits(audits=tuple(audits)))
