"""The command `online-rnnlm`: it finds the verbs, runs one, and reports an error in one line.

Each verb is a `Verb` of a module of this package; the workflow's stages are in `_stages`. Modules
that take long to import, such as numpy, are imported when a verb runs, so that `--help` is fast.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import NoReturn

from online_rnnlm.commands import (
    audit,
    experiment,
    model,
    next_words,
    rescore,
    score,
    show,
)
from online_rnnlm.commands._stages import STAGES
from online_rnnlm.commands._verb import Parser, Verb
from online_rnnlm.errors import ERROR_MARK, UserError, needing_packages, suggestion
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.process.stop_signals import Stopped, hide_interrupts
from online_rnnlm.storage.files import why_unwritable

PROGRAM = "online-rnnlm"
INTERRUPTED = 130
logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one verb and exit; without a verb, list them.

    The status is 1 if something cannot be used or fails, 2 for a wrong command, 75 if MLflow's
    store is away, 130 after Ctrl-C, and that of `Stopped` if a job was told to end; an error is one
    line.
    """
    hide_interrupts()
    # Only the code that needs the disk reports that it is full, not every line of the log.
    logging.raiseExceptions = False
    package = logging.getLogger("online_rnnlm")
    messages = logging.StreamHandler()
    package.setLevel(logging.INFO)
    package.addHandler(messages)
    given = sys.argv[1:] if arguments is None else arguments
    # What begins this process lets Ctrl-C end it silently (`__main__`); from here on it is handled.
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    status = _run(given)
    package.removeHandler(messages)
    try:
        sys.stdout.flush()
    except OSError:  # at its end Python would try once more to write, and fail aloud
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def parser_of(name: str) -> Parser:
    """Return the parser of a verb's arguments."""
    verb = VERBS[name]
    parser = Parser(
        prog=f"{PROGRAM} {name}",
        description=verb.help,
        epilog=verb.example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    verb.add_arguments(parser)
    return parser


def overview() -> str:
    """Return the list of verbs in their groups, the workflow's stages among them."""
    groups = []
    for title, verbs in VERBS_BY_PURPOSE.items():
        lines = [f"  {name:<12}{verb.help}" for name, verb in verbs.items()]
        groups.append("\n".join([f"{title}:", *lines]))
    return "\n\n".join(
        [
            f"usage: {PROGRAM} VERB ...",
            "A language model whose document vector keeps learning while it is tested.",
            *groups,
            "`online-rnnlm VERB --help` explains a verb, `--version` prints the version. Exit "
            "status: 0,\nor 1 if something cannot be used or fails, or 2 for a wrong command.",
        ]
    )


def _run(given: Sequence[str]) -> int:
    """Run the verb that arguments name, and return the exit status.

    A user's error, a file that cannot be read or written, and a lack of memory are one line.
    """
    try:
        try:
            verb, arguments = _read(given)
        except SystemExit as ended:  # the help has been printed, or what is wrong
            sys.stdout.flush()
            return int(ended.code or 0)
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
        return error.status if isinstance(error, UserError) else 1
    return 0


def _read(given: Sequence[str]) -> tuple[Verb, argparse.Namespace]:
    """Return the verb that arguments name, and its own arguments.

    Raises SystemExit for a wrong command, and after the help or the version.
    """
    program = Parser(prog=PROGRAM, add_help=False)
    program.add_argument("verb", nargs="?")
    program.add_argument("-h", "--help", action="store_true")
    program.add_argument("--version", action="store_true")
    asked = program.parse_args(given[:1])
    name = asked.verb
    if asked.version:
        print(f"{PROGRAM} {version(PROGRAM)}")
        program.exit()
    if name is None:
        print(overview())
        program.exit()
    if name not in VERBS:
        program.error(f"there is no verb `{name}`; {suggestion(name, VERBS)}".rstrip("; "))
    # Texts may follow an option, as in `score FIRST --frozen SECOND`.
    return VERBS[name], parser_of(name).parse_intermixed_args(given[1:])


def _in_one_line(error: Exception) -> str | None:
    """Return what a user can do something about; None for a fault of the program."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"this machine has too little memory: {error}"
    if not isinstance(error, OSError):
        if "numpy" not in sys.modules:  # what can raise it has loaded numpy
            return None
        from online_rnnlm.core.engines.base import CannotCompute

        return str(error) if isinstance(error, CannotCompute) else None
    reason = why_unwritable(error)
    if reason is None and error.filename is None:
        return None
    return f"{error.filename or 'a file, or the standard output'}: {reason or error.strerror}"


VERBS_BY_PURPOSE: Mapping[str, Mapping[str, Verb]] = {
    "use a trained model": {
        "show": show.SHOW,
        "score": score.SCORE,
        "next": next_words.NEXT,
        "rescore": rescore.RESCORE,
        "sample": next_words.SAMPLE,
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
    "stages of an experiment, which Snakemake runs": STAGES,
}
"""The verbs by what they are used for."""
VERBS = {name: verb for verbs in VERBS_BY_PURPOSE.values() for name, verb in verbs.items()}
"""All verbs by their names."""
