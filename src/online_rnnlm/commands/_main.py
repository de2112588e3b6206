"""The command `online-rnnlm`: it finds the verbs, runs one, and reports an error in one line.

A verb is a module of this package with `HELP`, `add_arguments` and `run`, and `EXAMPLE` if it has a
command to try; the workflow's stages are one table, `_stages`. A verb imports the modules for its
work inside `run`, because most of them take seconds to import, and `--help` should be fast.
"""

from __future__ import annotations

import argparse
import logging
import os
import pkgutil
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import NoReturn

from online_rnnlm import commands
from online_rnnlm.commands._stages import STAGES, Verb
from online_rnnlm.errors import ERROR_MARK, UserError, nearest, needing_packages
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.process.stop_signals import Stopped, end_with_parent, hide_interrupts
from online_rnnlm.storage.code import PACKAGE
from online_rnnlm.storage.files import why_unwritable

logger = logging.getLogger(__name__)

INTERRUPTED = 130
GROUPS = {
    "use a trained model": (
        *("show", "score", "next", "rescore", "sample", "nearest", "vectors", "info"),
        *("audit", "export"),
    ),
    "run an experiment and look at it": ("check", "ui", "track", "evidence"),
    "this command": ("help",),
}
"""The verbs that people type, by what they are for; the stages are typed by Snakemake."""
_CHOICE = re.compile(
    r".*invalid choice: '(?P<given>.+)' \(choose from (?P<allowed>.+)\)", re.DOTALL
)
_OPTION = re.compile(r"unrecognized arguments: (?P<given>-\S+)")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one verb and exit.

    The status is 1 if something cannot be used or fails, 2 for a wrong command, 130 after Ctrl-C,
    and that of `Stopped` if a job was told to end; an error is one line.
    """
    hide_interrupts()
    # Only the code that needs the disk reports that it is full, not every line of the log.
    logging.raiseExceptions = False
    package, messages = logging.getLogger(PACKAGE), logging.StreamHandler()
    package.setLevel(logging.INFO)
    package.addHandler(messages)
    parsed = _parsed(arguments)
    end_with_parent()
    prepare_process()
    status = _status(parsed)
    package.removeHandler(messages)
    _drop_unwritable_output()
    sys.exit(status)


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments; wrong ones end the process with status 2.

    Files may follow an option, as in `score MODEL --frozen FILE`, which argparse would refuse.
    """
    given = sys.argv[1:] if arguments is None else arguments
    parser = make_parser(given[0] if given else None)
    parsed, left = parser.parse_known_args(given)
    options = [one for one in left if one.startswith("-") and one != "-"]
    if left and (options or not hasattr(parsed, "files")):
        parsed.parser_of_verb.error(f"unrecognized arguments: {' '.join(options or left)}")
    if left:
        parsed.files = [*parsed.files, *left]
    return parsed


def _drop_unwritable_output() -> None:
    """Drop what the standard output refuses: Python would write it again, and fail, at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def verbs() -> list[str]:
    """Return the names of all verbs: those of this package's modules, then the stages."""
    modules = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    return [*(name for name in modules if not name.startswith("_")), *STAGES]


def _verb(name: str) -> Verb:
    """Return the verb of that name; its module is imported."""
    if name in STAGES:
        return STAGES[name]
    module = import_module(f"{commands.__name__}.{name}")
    example = getattr(module, "EXAMPLE", None)
    return Verb(module.HELP, module.add_arguments, module.run, example)


class _Parser(argparse.ArgumentParser):
    """A parser whose error is one line: argparse would print the usage of the verb, too."""

    def error(self, message: str) -> NoReturn:
        """End the process with status 2 and the message, with the nearest name that is allowed."""
        verb = self.prog.partition(" ")[2]
        where = f"{verb}: " if verb else ""
        near = _meant(message, [*self._option_string_actions])
        if near:
            message = f"{message.partition(' (choose from ')[0]}: did you mean `{near}`?"
        self.exit(2, f"{ERROR_MARK}{where}{message}; see `{self.prog} --help`\n")


class _Program(_Parser):
    """The parser of all verbs, whose help lists them in groups."""

    def format_help(self) -> str:
        """Return the help."""
        return overview()


def _meant(message: str, options: Sequence[str]) -> str:
    """Return the name that may have been meant by a wrong one; an empty text if none is near."""
    if found := _CHOICE.match(message):
        allowed = re.findall("[^', ]+", found["allowed"])
    elif found := _OPTION.match(message):
        allowed = list(options)
    else:
        return ""
    return nearest(found["given"].partition("=")[0], allowed)


def overview(*, stages: bool = False) -> str:
    """Return the list of verbs in their groups; with `stages`, the workflow's stages, too."""
    parts = [
        "usage: online-rnnlm VERB ...",
        "A language model whose document vector keeps learning while it is tested.",
    ]
    groups = GROUPS | (
        {"stages of an experiment, which Snakemake runs": (*STAGES,)} if stages else {}
    )
    for title, names in groups.items():
        lines = (f"  {name:<12}{_verb(name).help}" for name in names)
        parts.append("\n".join([f"{title}:", *lines]))
    parts.append(
        "`online-rnnlm VERB --help` explains a verb, `online-rnnlm help --all` lists the stages,\n"
        "too, `--version` prints the version. Exit status: 0, or 1 if something cannot be used or\n"
        "fails, or 2 for a wrong command."
    )
    return "\n\n".join(parts) + "\n"


def make_parser(named: str | None = None) -> argparse.ArgumentParser:
    """Make the parser of all verbs, or of a named one alone: importing the others takes time."""
    known = verbs()
    wanted = [named] if named in known else known
    parser = _Program(prog="online-rnnlm")
    said = f"%(prog)s {version('online-rnnlm')}"
    parser.add_argument("--version", action="version", version=said)
    added = parser.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)
    for name in wanted:
        verb = _verb(name)
        one = added.add_parser(
            name,
            help=verb.help,
            description=verb.help,
            epilog=verb.example,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        one.set_defaults(run_verb=verb.run, parser_of_verb=one)
        verb.add_arguments(one)
    return parser


def _status(parsed: argparse.Namespace) -> int:
    """Run the verb, and return the exit status."""
    try:
        with needing_packages():
            parsed.run_verb(parsed)
        sys.stdout.flush()
    except Stopped as stopped:
        return stopped.status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return 1  # the reader of the output has ended, and wants no more of it
    except Exception as error:
        return _failed(error)
    return 0


def _failed(error: Exception) -> int:
    """Log an error, and return the exit status.

    A user's error, a file that cannot be read or written, and a lack of memory are one line.
    """
    message = _in_one_line(error)
    if message is None:
        logger.error("a fault of this program", exc_info=error)
    else:
        logger.error("%s%s", ERROR_MARK, " ".join(message.split()))
    return 1


def _in_one_line(error: Exception) -> str | None:
    """Return what a user can do something about; None for a fault of the program."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"this machine has too little memory: {error}"
    if not isinstance(error, OSError):
        return None
    reason = why_unwritable(error)
    if reason is None and error.filename is None:
        return None
    return f"{error.filename or 'a file, or the standard output'}: {reason or error.strerror}"
