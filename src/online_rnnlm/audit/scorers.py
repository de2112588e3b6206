"""What can be audited: the project's own networks, and any program.

A program reads a sentence a line, and answers each with a line of log P; docs/audit.md describes
the lines.
"""

from __future__ import annotations

import logging
import math
import os
import shlex
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from online_rnnlm.audit.rules import (
    END,
    AuditedScorer,
    Audits,
    Text,
    audit,
    joined,
    last_unit,
    lines_of,
    with_ends,
)
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunResult, read_end
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.model_file import read_run

logger = logging.getLogger(__name__)

PLACES = 3
TOLERANCE = 1e-4
_SENTENCES = 8
"""Number of sentences that networks are audited on."""
_DOCUMENT = 2
"""Number of sentences that are read as a document."""


def of_model(model: TrainedModel, **options: Any) -> AuditedScorer:
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

    scorer = AuditedScorer(score, unit, words, most=len(words))
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
        if isinstance(read_end(directory.run(run.name)), RunResult):
            text = _beginning(directory.corpus(run.corpus_folder).text("test"))
            name = f"{run.model} on {run.settings.corpus}"
            scorer = of_model(TrainedModel(read_run(directory, run.name)))
            audits.append(audit(name, scorer, text, PLACES, TOLERANCE))
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


@dataclass
class Program:
    """A program that is started for each text.

    Its methods raise UserError if it cannot be started, fails, or gives another answer.
    """

    command: str
    seconds: float
    """Time for it to answer the first half of a text (s)."""

    def scorer(self, unit: UnitOfText, vocabulary: Sequence[str], *, asks: bool) -> AuditedScorer:
        """Return the scorer; `asks` says that the program answers for candidates."""
        words = with_ends(vocabulary)
        ask = self._ask if asks else None
        return AuditedScorer(self._score, unit, words, ask=ask, halves=self._halves)

    def answers(self, lines: str) -> tuple[list[str], int]:
        """Start the program and write lines to it; return its answers and its status."""
        with self._started() as process:
            output, _ = process.communicate(lines)
        return output.splitlines(), process.returncode

    def _score(self, text: Text) -> list[float]:
        return self._read(text, *self.answers(_written(text)))

    def _ask(self, text: Text, candidates: Sequence[str]) -> list[float]:
        place = len(lines_of(text)[-1]) - (text[-1] != END)
        names = [SENTENCE_END if word == END else word for word in candidates]
        question = f"\t{place}\t{' '.join(names)}\n"
        answers, status = self.answers(_written(text).removesuffix("\n") + question)
        self._read(text, answers, status)
        return self._logs(names, answers[-1].partition("\t")[2], ends=0)

    def _halves(self, first: Text, second: Text) -> list[float]:
        with self._started() as process, ThreadPoolExecutor(1) as reader:
            read = process.stdout
            write = process.stdin
            assert read and write
            answered = reader.submit(lambda: [read.readline() for _ in lines_of(first)])
            with suppress(BrokenPipeError):  # what it has answered tells more
                write.write(_written(first))
                write.flush()
            try:
                answers = answered.result(self.seconds)
            except TimeoutError:
                write.close()
                return []
            rest = reader.submit(read.readlines)
            with suppress(BrokenPipeError):
                write.write(_written(second))
                write.close()
            answers += rest.result()
        return self._read(first + second, answers, process.returncode)

    def _started(self) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        try:
            words = shlex.split(self.command)
            # A program that does not flush must not pass here and fail elsewhere.
            environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
            return subprocess.Popen(
                words, stdin=pipe, stdout=pipe, encoding="utf-8", errors="replace", env=environment
            )
        except (OSError, ValueError, IndexError) as error:
            why = getattr(error, "strerror", None) or error
            raise UserError(f"--command {self.command}: not started: {why}") from None

    def _read(self, text: Text, answers: Sequence[str], status: int) -> list[float]:
        """Read the scores of a text, a line of answer for each line."""
        lines = lines_of(text)
        scores = list(map(self._logs, lines, answers))
        if status or len(answers) != len(lines):
            raise UserError(
                f"--command {self.command}: {len(answers)} lines of answer, and status {status}, "
                f"for {len(lines)} lines: a line for each, and status 0, are needed"
            )
        return joined(lines, scores)

    def _logs(self, words: Sequence[str], answer: str, ends: int = 1) -> list[float]:
        """Read log P of words and, if `ends` is 1, maybe of the end after them."""
        try:
            logs = [float(number) for number in answer.partition("\t")[0].split()]
        except ValueError:
            logs = [math.nan]
        if not 0 <= len(logs) - len(words) <= ends or any(map(math.isnan, logs)):
            raise UserError(
                f"--command {self.command}: answers `{answer.strip()[:60]}` for "
                f"`{' '.join(words)[:60]}`; needed: {len(words)} numbers{' or one more' * ends}"
            )
        return logs


def _written(text: Text) -> str:
    return "".join(" ".join(words) + "\n" for words in lines_of(text))
