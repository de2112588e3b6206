"""Audit what scores text and may learn from it: a model, or any program."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from online_rnnlm.auditing.programs import Program
from online_rnnlm.auditing.rules import audit_scorer
from online_rnnlm.commands._inputs import add_adaptation, options_in
from online_rnnlm.commands._verb import Verb, value_of, whole_number_to
from online_rnnlm.config.base import PositiveFloat
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.corpora.textfiles import SENTENCE_END, read_lines, words_at, words_of
from online_rnnlm.errors import UserError
from online_rnnlm.use.options import AdaptationOptions

_SECONDS = 60.0
"""Time after which each start of a program is ended, unless an option says otherwise (s)."""


def add_audit_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `audit`."""
    parser.add_argument(
        "model", nargs="?", help="a model, as in `score`; the options of what learns are for it"
    )
    parser.add_argument(
        "--command", metavar="PROGRAM", help="a program that scores text, in place of a model"
    )
    parser.add_argument(
        "--text",
        type=Path,
        metavar="FILE",
        required=True,
        help="some tokenised sentences, one a line; an empty line ends a document",
    )
    parser.add_argument(
        "--vocabulary",
        type=Path,
        metavar="FILE",
        help="all words that the program can predict; `</s>` is the end of a sentence",
    )
    parser.add_argument(
        "--ask", action="store_true", help="the program answers for candidates, too"
    )
    parser.add_argument(
        "--seconds",
        type=value_of(PositiveFloat),
        help=f"time after which each start of the program is ended (default: {_SECONDS})",
    )
    parser.add_argument(
        "--places",
        type=whole_number_to(10**4),
        default=5,
        metavar="N",
        help="places at which a rule is tried (default: %(default)s)",
    )
    parser.add_argument(
        "--tolerance",
        type=value_of(PositiveFloat),
        default=1e-4,
        help="allowed difference of scores, in nats, and of sums (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_adaptation(parser)


def run_audit(arguments: argparse.Namespace) -> None:
    """Print the audit; raises UserError if a rule is broken or was not tested."""
    is_program = arguments.command is not None
    if is_program == (arguments.model is not None):
        raise UserError("give a model, or a program by `--command`")
    if is_program and not arguments.command.strip():
        raise UserError("--command: a program is needed, and its arguments, if it has any")
    options_of_model = ("updates", "learning_rate", "steps", "learn_after")
    options_of_program = ("vocabulary", "ask", "seconds")
    for option in options_of_model if is_program else options_of_program:
        given = getattr(arguments, option)
        if given is not None and given is not False:  # 0 is given
            whom = "model" if is_program else "program"
            raise UserError(f"--{option.replace('_', '-')}: is for a {whom}")
    text = arguments.text
    lines = [words_at(line, text, number) for number, line in enumerate(read_lines(text), 1)]
    if not any(lines):
        raise UserError(f"{text}: no text in it")
    if is_program:
        name = arguments.command
        vocabulary: list[str] = []
        for line in read_lines(arguments.vocabulary) if arguments.vocabulary else ():
            for word in line.replace("\t", " ").split(" "):
                vocabulary += [word] if word == SENTENCE_END else words_of(word)
        unit: UnitOfText = arguments.unit_of_text or "stream"
        program = Program(name, arguments.seconds or _SECONDS)
        scorer = program.scorer(unit, vocabulary, asks=arguments.ask)
    else:
        from online_rnnlm.auditing.networks import of_model
        from online_rnnlm.use.model import load

        name = arguments.model
        scorer = of_model(load(name).scorer, **options_in(arguments, AdaptationOptions))
    result = audit_scorer(name, scorer, lines, arguments.places, arguments.tolerance)
    print(json.dumps(asdict(result), indent=1) if arguments.json else result)
    if result.failure:
        raise UserError(f"{name}: {result.failure}")


AUDIT = Verb(
    "test that no word is known before it is scored, by a model or by any program",
    add_audit_arguments,
    run_audit,
    """\
example: online-rnnlm audit results/demo --text LICENSE --places 2

The rules: causality, normalisation, score before update, single pass, reset. The status is 0 only
if all were tested and none is broken. docs/audit.md describes them, and the lines that a program
reads and writes.""",
)
