"""The audit of a program, which answers each sentence, a line, with a line of log P.

docs/audit.md describes the lines.
"""

from __future__ import annotations

import math
import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from threading import Timer
from time import monotonic

from online_rnnlm.auditing.scorer import AuditedScorer, Lines, Token
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.errors import UserError


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
        ask = self.ask if asks else None
        return AuditedScorer(
            self.score,
            unit,
            vocabulary,
            SENTENCE_END,
            ask_in_line=ask,
            score_halves=self.score_in_halves,
        )

    def score(self, lines: Lines) -> list[list[float]]:
        """Score a text."""
        return self._read(lines, *self.answers(_written(lines)))

    def score_in_halves(self, first: Lines, rest: Lines) -> list[list[float]] | None:
        """Score a text whose rest is written when the first lines have been answered.

        Returns None if they are not.
        """
        answers, status = self.answers(_written(first), _written(rest))
        return None if status is None else self._read([*first, *rest], answers, status)

    def ask(self, lines: Lines, place: int, candidates: Sequence[Token]) -> list[float]:
        """Score candidates for a place in the last line."""
        question = f"\t{place}\t{' '.join(map(str, candidates))}\n"
        answers, status = self.answers(_written(lines).removesuffix("\n") + question)
        self._read(lines, answers, status)
        return self._logs(candidates, answers[-1].partition("\t")[2], ends=0)

    def answers(self, first: str, rest: str = "") -> tuple[list[str], int | None]:
        """Start the program, and write a text to it; return the lines of its answer and its status.

        The status is None if it did not end in its time. If there is a `rest`, it is written after
        each line of `first` has been answered.
        """
        begin = monotonic()
        # A program that does not flush must not pass here and fail elsewhere.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
        try:
            started = subprocess.Popen(
                shlex.split(self.command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,  # else what a program that has ended did not read fails once more later
                encoding="utf-8",
                errors="replace",
                env=environment,
                process_group=0,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise UserError(f"--command {self.command}: not started: {why}") from None
        with started as process:
            assert process.stdin and process.stdout
            watch = Timer(self.seconds, _kill, [process])
            watch.start()
            try:
                answered = []
                for line in StringIO(first) if rest else ():  # other breaks belong to tokens
                    with suppress(BrokenPipeError):  # what it has answered tells more
                        process.stdin.write(line)
                        process.stdin.flush()
                    answered.append(process.stdout.readline())
                answered += process.communicate(rest or first)[0].splitlines(keepends=True)
            finally:
                watch.cancel()
                if process.poll() is None:
                    _kill(process)
        is_late = monotonic() - begin >= self.seconds
        lines = [line.rstrip("\n") for line in answered if line]
        return lines, None if is_late else process.returncode

    def _read(self, lines: Lines, answers: Sequence[str], status: int | None) -> list[list[float]]:
        """Read the scores of a text, a line of answer for each line."""
        if status is None:
            raise UserError(
                f"--command {self.command}: has not answered and ended within {self.seconds:g} s: "
                "`--seconds` gives it more"
            )
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
        logs: list[float] = []
        with suppress(ValueError):
            logs = [math.nan if number == "-" else float(number) for number in numbers]
        is_wrong = len(logs) != len(numbers) or sum(map(math.isnan, logs)) > numbers.count("-")
        if is_wrong or not 0 <= len(logs) - len(words) <= ends:
            raise UserError(
                f"--command {self.command}: answers `{answer.strip()[:60]}` for "
                f"`{' '.join(map(str, words))[:60]}`; needed: {len(words)} numbers"
                f"{' or one more' * ends}, or `-` for what is not predicted"
            )
        return logs


def _written(lines: Lines) -> str:
    return "".join(" ".join(map(str, line)) + "\n" for line in lines)


def _kill(process: subprocess.Popen[str]) -> None:
    """End a program and what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
