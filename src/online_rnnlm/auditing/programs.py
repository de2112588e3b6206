"""Scorers for an audit: the project's own networks, and any program.

A program reads a sentence a line, and answers each with a line of log P; docs/audit.md describes
the lines.
"""

from __future__ import annotations

import logging
import math
import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import IO, Any

from online_rnnlm.auditing.records import Audits
from online_rnnlm.auditing.rules import (
    END,
    AuditedScorer,
    Lines,
    Text,
    Token,
    audit_scorer,
    last_unit,
    lines_of,
)
from online_rnnlm.config.experiment import Plan
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunResult, read_end
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.model_file import read_run
from online_rnnlm.use.text import sentences_of

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
    words = _with_ends(model.words)

    def score(lines: Lines) -> list[list[float]]:
        texts = [" ".join(map(str, words)) for words in lines]
        sentences = sentences_of(texts, model.preparation, "tokenised")
        parts = model.score_parts(sentences, way)
        return [logs.tolist() for part in parts for logs in part.by_sentence]

    scorer = AuditedScorer(score, unit, words, most=len(words))
    try:
        begin = network.start(way)
    except UserError:
        return scorer

    def ask(text: Text, candidates: Sequence[Token]) -> list[float]:
        lines = filter(None, lines_of(last_unit(text[:-1], unit)))
        before = [str(word) for line in lines for word in (*line, SENTENCE_END)]
        has_ended = text[-2:-1] == (END,)
        _, state = network.read(begin, before if has_ended else before[:-1])
        numbers = network.ids(_names(candidates))
        logs: list[float] = network.next_word([state])[0][numbers].tolist()
        return logs

    return replace(scorer, ask=ask)


def audit_networks(experiment: Plan, directory: ExperimentDirectory) -> None:
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
            audits.append(audit_scorer(name, scorer, text, PLACES, TOLERANCE))
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


def _with_ends(vocabulary: Sequence[str]) -> list[str]:
    """Return a vocabulary with `END` in place of `</s>`."""
    return [END if word == SENTENCE_END else word for word in vocabulary]


def _names(candidates: Sequence[Token]) -> list[str]:
    """Return candidates as a program and a network know them, `</s>` for `END`."""
    return [SENTENCE_END if word == END else str(word) for word in candidates]


class NoAnswerError(UserError):
    """A program has not answered in its time."""


@dataclass
class Program:
    """A program that is started for each text.

    Its methods raise UserError if it cannot be started, fails, or gives another answer.
    """

    command: str
    seconds: float
    """Time after which a start of it is ended (s)."""

    def scorer(self, unit: UnitOfText, vocabulary: Sequence[str], *, asks: bool) -> AuditedScorer:
        """Return the scorer; `asks` says that the program answers for candidates."""
        ask = self._ask if asks else None
        words = _with_ends(vocabulary)
        return AuditedScorer(self._score, unit, words, ask=ask, halves=self._halves)

    def answers(self, *parts: str) -> tuple[list[str], int]:
        """Start the program, and write parts of a text, each when the one before is answered.

        Returns the lines of all answers, and the status.
        """
        begin = monotonic()
        answered: list[str] = []
        with self._started() as process, ThreadPoolExecutor(1) as writer:
            out = process.stdout
            assert out and process.stdin
            watch = Timer(self.seconds, _kill, [process])
            watch.start()
            try:
                for part in parts[:-1]:
                    writer.submit(_write, process.stdin, part)
                    answered += islice(out, part.count("\n"))
                # A program that has ended is no error here: what it has answered tells more.
                writer.submit(_write, process.stdin, parts[-1])
                writer.submit(process.stdin.close)
                answered += out
                process.wait()
            finally:
                watch.cancel()
                if process.poll() is None:
                    _kill(process)
        if monotonic() - begin >= self.seconds:
            raise NoAnswerError(
                f"--command {self.command}: has not answered and ended within {self.seconds:g} s: "
                "`--seconds` gives it more"
            )
        return [line.rstrip("\n") for line in answered], process.returncode

    def _started(self) -> subprocess.Popen[str]:
        # A program that does not flush must not pass here and fail elsewhere.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
        try:
            return subprocess.Popen(
                shlex.split(self.command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                env=environment,
                process_group=0,
            )
        except (OSError, ValueError, IndexError) as error:
            why = getattr(error, "strerror", None) or error
            raise UserError(f"--command {self.command}: not started: {why}") from None

    def _score(self, lines: Lines) -> list[list[float]]:
        return self._read(lines, *self.answers(_written(lines)))

    def _ask(self, text: Text, candidates: Sequence[Token]) -> list[float]:
        lines = lines_of(text)
        place = len(lines[-1]) - (text[-1] != END)
        names = _names(candidates)
        question = f"\t{place}\t{' '.join(names)}\n"
        answers, status = self.answers(_written(lines).removesuffix("\n") + question)
        self._read(lines, answers, status)
        return self._logs(names, answers[-1].partition("\t")[2], ends=0)

    def _halves(self, first: Lines, second: Lines) -> list[list[float]]:
        try:
            answers, status = self.answers(_written(first), _written(second))
        except NoAnswerError:
            return []
        return self._read(first + second, answers, status)

    def _read(self, lines: Lines, answers: Sequence[str], status: int) -> list[list[float]]:
        """Read the scores of a text, a line of answer for each line."""
        scores = list(map(self._logs, lines, answers))
        if status or len(answers) != len(lines):
            raise UserError(
                f"--command {self.command}: {len(answers)} lines of answer, and status {status}, "
                f"for {len(lines)} lines: a line for each, and status 0, are needed"
            )
        return scores

    def _logs(self, words: Sequence[Token], answer: str, ends: int = 1) -> list[float]:
        """Read log P of words and, if `ends` is 1, maybe of the end after them; `-` is read as NaN:
        not predicted."""
        numbers = answer.partition("\t")[0].split()
        try:
            logs = [math.nan if number == "-" else float(number) for number in numbers]
        except ValueError:
            logs = []
            numbers = ["no number"]
        nans = sum(map(math.isnan, logs)) - numbers.count("-")
        if nans or len(logs) != len(numbers) or not 0 <= len(logs) - len(words) <= ends:
            raise UserError(
                f"--command {self.command}: answers `{answer.strip()[:60]}` for "
                f"`{' '.join(map(str, words))[:60]}`; needed: {len(words)} numbers"
                f"{' or one more' * ends}, or `-` for what is not predicted"
            )
        return logs


def _written(lines: Lines) -> str:
    return "".join(" ".join(map(str, words)) + "\n" for words in lines)


def _write(file: IO[str], text: str) -> None:
    file.write(text)
    file.flush()


def _kill(process: subprocess.Popen[str]) -> None:
    """End a program and what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
