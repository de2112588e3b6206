"""Any program as a scorer: it reads a sentence a line, and answers each with a line of log P."""

from __future__ import annotations

import math
import os
import shlex
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from online_rnnlm.audit.rules import END, Scorer, Text, joined, lines_of, with_ends
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.errors import UserError


class Program:
    """A program that is started for each text; docs/audit.md describes its lines.

    Its methods raise UserError if it cannot be started, fails, or gives another answer.
    """

    def __init__(self, command: str, seconds: float) -> None:
        self._command, self._seconds = command, seconds

    def scorer(self, unit: UnitOfText, vocabulary: Sequence[str], *, asks: bool) -> Scorer:
        """Return the scorer; `asks` says that the program answers for candidates."""
        words = with_ends(vocabulary)
        ask = self._ask if asks else None
        return Scorer(self._score, unit, words, ask=ask, halves=self._halves)

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
                answers = answered.result(self._seconds)
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
            words = shlex.split(self._command)
            # A program that does not flush must not pass here and fail elsewhere.
            environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
            return subprocess.Popen(
                words, stdin=pipe, stdout=pipe, encoding="utf-8", errors="replace", env=environment
            )
        except (OSError, ValueError, IndexError) as error:
            why = getattr(error, "strerror", None) or error
            raise UserError(f"--command {self._command}: not started: {why}") from None

    def _read(self, text: Text, answers: Sequence[str], status: int) -> list[float]:
        """Read the scores of a text, a line of answer for each line."""
        lines = lines_of(text)
        scores = list(map(self._logs, lines, answers))
        if status or len(answers) != len(lines):
            raise UserError(
                f"--command {self._command}: {len(answers)} lines of answer, and status {status}, "
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
                f"--command {self._command}: answers `{answer.strip()[:60]}` for "
                f"`{' '.join(words)[:60]}`; needed: {len(words)} numbers{' or one more' * ends}"
            )
        return logs


def _written(text: Text) -> str:
    return "".join(" ".join(words) + "\n" for words in lines_of(text))
