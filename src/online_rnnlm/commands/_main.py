"""The command `online-rnnlm`: it finds the verbs, runs one, and reports an error in one line.

Each verb is a `Verb` of a module of this package; the workflow's stages are one table, `_stages`. A
verb imports the modules for its work when it runs, because most of them take seconds to import, and
`--help` should be fast.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn

from online_rnnlm.commands import (
    audit,
    experiment,
    model,
    next_words,
    rescore,
    score,
    show,
    vectors,
)
from online_rnnlm.commands._arguments import Verb, argument, flag
from online_rnnlm.commands._stages import STAGES
from online_rnnlm.errors import ERROR_MARK, UserError, needing_packages, suggestion
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.process.stop_signals import Stopped, hide_interrupts
from online_rnnlm.storage.files import why_unwritable

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

PROGRAM = "online-rnnlm"
INTERRUPTED = 130
logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one verb and exit; without a verb, list them.

    The status is 1 if something cannot be used or fails, 2 for a wrong command, 130 after Ctrl-C,
    and that of `Stopped` if a job was told to end; an error is one line.
    """
    hide_interrupts()
    if sys.stdout is None:  # a file that is opened next would take its place
        sys.exit(f"{ERROR_MARK}the standard output is closed")
    # Only the code that needs the disk reports that it is full, not every line of the log.
    logging.raiseExceptions = False
    package = logging.getLogger("online_rnnlm")
    messages = logging.StreamHandler()
    package.setLevel(logging.INFO)
    package.addHandler(messages)
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in ([], ["--help"], ["-h"]):
        given = ["help"]
    # What begins this process lets Ctrl-C end it silently (`__main__`); from here on it is handled.
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    status = _run(given)
    package.removeHandler(messages)
    try:
        sys.stdout.flush()
    except OSError:  # Python would write it again, and fail, at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def verb_name(text: str) -> str:
    """Return the name of a verb; raises argparse.ArgumentTypeError, with the nearest one, if there
    is none of that name."""
    if text not in VERBS:
        meant = suggestion(text, VERBS)
        raise argparse.ArgumentTypeError(f"there is no verb `{text}`; {meant}".rstrip("; "))
    return text


class _Parser(argparse.ArgumentParser):
    """A parser whose error is one line: argparse would print the usage of the verb, too."""

    def error(self, message: str) -> NoReturn:
        """End the process with status 2 and the message."""
        self.exit(2, f"{ERROR_MARK}{message}; see `{self.prog} --help`\n")

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """Print the help; argparse would say nothing of a disk that is full."""
        print(self.format_help(), end="", file=file)


def parser_of(name: str) -> argparse.ArgumentParser:
    """Return the parser of a verb's arguments."""
    verb = VERBS[name]
    parser = _Parser(
        prog=f"{PROGRAM} {name}",
        description=verb.help,
        epilog=verb.example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for add in verb.arguments:
        add(parser)
    return parser


def overview(*, stages: bool = False) -> str:
    """Return the list of verbs in their groups; with `stages`, the workflow's stages, too."""
    groups = dict(GROUPS)
    if stages:
        groups["stages of an experiment, which Snakemake runs"] = STAGES
    parts = [
        f"usage: {PROGRAM} VERB ...",
        "A language model whose document vector keeps learning while it is tested.",
    ]
    for title, of_group in groups.items():
        lines = [f"  {name:<12}{verb.help}" for name, verb in of_group.items()]
        parts.append("\n".join([f"{title}:", *lines]))
    parts.append(
        "`online-rnnlm VERB --help` explains a verb, `online-rnnlm help --all` lists the stages,\n"
        "too, `--version` prints the version. Exit status: 0, or 1 if something cannot be used or\n"
        "fails, or 2 for a wrong command."
    )
    return "\n\n".join(parts) + "\n"


def _run(given: Sequence[str]) -> int:
    """Run the verb that arguments name, and return the exit status.

    A user's error, a file that cannot be read or written, and a lack of memory are one line.
    """
    status = 0
    try:
        try:
            verb, arguments = _read(given)
        except SystemExit as ended:  # the help has been printed, or what is wrong
            status = int(ended.code or 0)
        else:
            prepare_process()
            with needing_packages():
                verb.run(arguments)
        sys.stdout.flush()
    except Stopped as stopped:
        return stopped.status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return 1  # the reader of the output has ended, and wants no more of it
    except Exception as error:
        message = _in_one_line(error)
        if message is None:
            logger.exception("a fault of this program")
        else:
            logger.error("%s%s", ERROR_MARK, " ".join(message.split()))
        return 1
    return status


def _read(given: Sequence[str]) -> tuple[Verb, argparse.Namespace]:
    """Return the verb that arguments name, and its own arguments.

    Raises SystemExit for a wrong command, and after the help or the version.
    """
    if given[:1] == ["--version"]:  # argparse would say nothing of a disk that is full
        print(f"{PROGRAM} {version(PROGRAM)}")
        raise SystemExit(0)
    program = _Parser(prog=PROGRAM)
    program.add_argument("verb", type=verb_name)
    name = program.parse_args(given[:1]).verb
    # Files may follow an option, as in `score MODEL --frozen FILE`.
    return VERBS[name], parser_of(name).parse_intermixed_args(given[1:])


def _in_one_line(error: Exception) -> str | None:
    """Return what a user can do something about; None for a fault of the program."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"this machine has too little memory: {error}"
    if not isinstance(error, OSError):
        # It takes numpy, which a job that can raise it has loaded.
        from online_rnnlm.core.engines.base import CannotCompute

        return str(error) if isinstance(error, CannotCompute) else None
    reason = why_unwritable(error)
    if reason is None and error.filename is None:
        return None
    return f"{error.filename or 'a file, or the standard output'}: {reason or error.strerror}"


def run_help(arguments: argparse.Namespace) -> None:
    """List the verbs, or explain one."""
    if arguments.verb:
        parser_of(arguments.verb).print_help()
    else:
        print(overview(stages=arguments.all), end="")


GROUPS: Mapping[str, Mapping[str, Verb]] = {
    "use a trained model": {
        "show": show.SHOW,
        "score": score.SCORE,
        "next": next_words.NEXT,
        "rescore": rescore.RESCORE,
        "sample": next_words.SAMPLE,
        "nearest": vectors.NEAREST,
        "vectors": vectors.VECTORS,
        "info": model.INFO,
        "compare": score.COMPARE,
        "audit": audit.AUDIT,
        "export": model.EXPORT,
    },
    "run an experiment and look at it": {
        "check": experiment.CHECK,
        "ui": experiment.UI,
        "track": experiment.TRACK,
        "evidence": experiment.EVIDENCE,
    },
    "this command": {
        "help": Verb(
            "list the verbs, or explain one",
            run_help,
            (
                argument("verb", nargs="?", type=verb_name, help="the verb to explain"),
                flag("--all", "list the stages of an experiment, too"),
            ),
        )
    },
}
"""The verbs that people type, by what they are for; the stages are typed by Snakemake."""
VERBS = {name: verb for group in (*GROUPS.values(), STAGES) for name, verb in group.items()}
"""All verbs by their names."""
