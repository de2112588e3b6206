"""Audit what scores text and may learn from it: a model, or any program."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from online_rnnlm.commands import _arguments, _model

if TYPE_CHECKING:
    from online_rnnlm.config.testing import UnitOfText
    from online_rnnlm.cross_check.audit import Audit

HELP = "test that no word is known before it is scored, by a model or by any program"
EXAMPLE = """\
example: online-rnnlm audit results/demo --text LICENSE --places 2

The rules: causality, normalisation, score before update, single pass, reset. The status is 0 only
if none is broken. docs/audit.md describes them, and the lines that a program reads and writes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add("model", nargs="?", help="a model, as in `score`; the options of what learns are for it")
    add("--command", metavar="PROGRAM", help="a program that scores text, in place of a model")
    explained = "some tokenised sentences, one a line; an empty line ends a document"
    add("--text", type=Path, metavar="FILE", required=True, help=explained)
    explained = "all words that the program can predict; `</s>` is the end of a sentence"
    add("--vocabulary", type=Path, metavar="FILE", help=explained)
    add("--ask", action="store_true", help="the program answers for candidates, too")
    explained = "time for the program to answer the first half of a text (default: %(default)s)"
    add("--seconds", type=_arguments.positive_number, default=60.0, help=explained)
    explained = "places at which a rule is tried (default: %(default)s)"
    add("--places", type=_arguments.whole_number(10**4), default=5, metavar="N", help=explained)
    explained = "allowed difference of scores, in nats, and of sums (default: %(default)s)"
    add("--tolerance", type=_arguments.positive_number, default=1e-4, help=explained)
    add("--json", action="store_true", help="print JSON")
    _model.add_learning(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.corpora.textfiles import read_lines
    from online_rnnlm.cross_check import networks
    from online_rnnlm.cross_check.audit import END, audit
    from online_rnnlm.cross_check.programs import Program
    from online_rnnlm.errors import UserError

    name, words = arguments.command or arguments.model, arguments.vocabulary
    if (arguments.model is None) == (arguments.command is None):
        raise UserError("give a model, or a program by `--command`")
    of_model = ("frozen", "updates", "learning_rate", "steps", "learn_after")
    for option in of_model if arguments.command else ("vocabulary", "ask"):
        if getattr(arguments, option) not in (None, False, "word"):
            whom = "model" if arguments.command else "program"
            raise UserError(f"--{option.replace('_', '-')}: is for a {whom}")
    text = tuple(word for line in read_lines(arguments.text) for word in (*line.split(), END))
    if {*text} <= {END}:
        raise UserError(f"{arguments.text}: no text in it")
    if arguments.command is None:
        model = _model.named_model(arguments)
        options = _model.request_of(model, arguments).model_dump(exclude_unset=True)
        scorer = networks.of_model(model, **options)
    else:
        listed = [word for line in (read_lines(words) if words else ()) for word in line.split()]
        unit: UnitOfText = arguments.unit_of_text or "stream"
        program = Program(arguments.command, arguments.seconds)
        scorer = program.scorer(unit, listed, asks=arguments.ask)
    found = audit(name, scorer, text, arguments.places, arguments.tolerance)
    print(found.model_dump_json(indent=1) if arguments.json else _shown(found))
    if found.broken:
        raise UserError(f"{name}: broken: {', '.join(found.broken)}")


def _shown(found: Audit) -> str:
    """Return what people read: a line for each rule, and the texts that break it."""
    lines = []
    for one in found.rules:
        lines.append(f"{one.rule:<19} {one.status:<10}  {one.said}")
        if (shown := one.shortest) is not None:
            lines.append(
                f"  line {shown.line}, word {shown.word}: {shown.before} against {shown.after}"
            )
            both = (shown.text, shown.other)[: 1 + (shown.other != shown.text)]
            lines += [
                f"  {kind} {line}" for kind, text in zip("<>", both, strict=False) for line in text
            ]
    return "\n".join(lines)
