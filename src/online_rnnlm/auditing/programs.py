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
from threading import Timer
from time import monotonic

from online_rnnlm.auditing import rules
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.errors import UserError


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

    def scorer(
        self, unit: UnitOfText, vocabulary: Sequence[str], *, asks: bool
    ) -> rules.AuditedScorer:
        """Return the scorer; `asks` says that the program answers for candidates."""
        ask = self._ask if asks else None
        words = rules.with_ends(vocabulary)
        return rules.AuditedScorer(self._score, unit, words, ask=ask, in_halves=self._in_halves)

    def answers(self, first: str, rest: str = "") -> tuple[list[str], int]:
        """Start the program, and write a text to it; return the lines of its answer and its status.

        If there is a `rest`, it is written after each line of `first` has been answered.
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
        except (OSError, ValueError, IndexError) as error:
            why = getattr(error, "strerror", None) or error
            raise UserError(f"--command {self.command}: not started: {why}") from None
        with started as process:
            assert process.stdin and process.stdout
            watch = Timer(self.seconds, _kill, [process])
            watch.start()
            try:
                answered = []
                for line in first.splitlines(keepends=True) if rest else ():
                    with suppress(BrokenPipeError):  # what it has answered tells more
                        process.stdin.write(line)
                        process.stdin.flush()
                    answered.append(process.stdout.readline())
                answered += process.communicate(rest or first)[0].splitlines(keepends=True)
            finally:
                watch.cancel()
                if process.poll() is None:
                    _kill(process)
        if monotonic() - begin >= self.seconds:
            raise NoAnswerError(
                f"--command {self.command}: has not answered and ended within {self.seconds:g} s: "
                "`--seconds` gives it more"
            )
        return [line.rstrip("\n") for line in answered if line], process.returncode

    def _score(self, text: rules.Text, rest: rules.Text = ()) -> list[float]:
        return self._read(text + rest, *self.answers(_written(text), _written(rest)))

    def _in_halves(self, first: rules.Text, second: rules.Text) -> list[float]:
        with suppress(NoAnswerError):
            return self._score(first, second)
        return []

    def _ask(self, text: rules.Text, candidates: Sequence[rules.Token]) -> list[float]:
        place = len(rules.lines_of(text)[-1]) - (text[-1] != rules.END)
        names = rules.with_names(candidates)
        question = f"\t{place}\t{' '.join(names)}\n"
        answers, status = self.answers(_written(text).removesuffix("\n") + question)
        self._read(text, answers, status)
        return self._logs(names, answers[-1].partition("\t")[2], ends=0)

    def _read(self, text: rules.Text, answers: Sequence[str], status: int) -> list[float]:
        """Read the scores of a text, a line of answer for each line."""
        lines = rules.lines_of(text)
        scores = list(map(self._logs, lines, answers))
        if status or len(answers) != len(lines):
            raise UserError(
                f"--command {self.command}: {len(answers)} lines of answer, and status {status}, "
                f"for {len(lines)} lines: a line for each, and status 0, are needed"
            )
        return rules.by_token(text, scores)

    def _logs(self, words: Sequence[rules.Token], answer: str, ends: int = 1) -> list[float]:
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


def _written(text: rules.Text) -> str:
    return "".join(f"{line}\n" for line in rules.written(text))


def _kill(process: subprocess.Popen[str]) -> None:
    """End a program and what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
