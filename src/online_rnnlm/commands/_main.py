"""The command `online-rnnlm`: it finds the verbs, runs one, and reports an error in one line.

A verb is a module of this package with `HELP`, `add_arguments` and `run`, and `EXAMPLE` if it has a
command to try. It imports the modules for its work inside `run`, because most of them take seconds
to import, and `--help` should be fast.
"""

from __future__ import annotations

import argparse
import logging
import os
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from online_rnnlm import commands
from online_rnnlm.errors import ERROR_MARK, UserError, needing_packages
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.process.stop_signals import Stopped, end_with_parent, hide_interrupts
from online_rnnlm.storage import receipts
from online_rnnlm.storage.files import why_unwritable
from online_rnnlm.storage.syntax import PACKAGE

logger = logging.getLogger(__name__)

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one verb and exit.

    The status is that of the UserError (1, or 2 for input that the verb cannot use), 2 for wrong
    arguments, and 130 after Ctrl-C; an error is one line.
    """
    hide_interrupts()
    _open_closed_streams()
    parsed = _parsed(arguments)
    end_with_parent()
    prepare_process()
    # Only the code that needs the disk reports that it is full, not every line of the log.
    logging.raiseExceptions = False
    if isinstance(sys.stdout, TextIOWrapper):  # a file's name need not be text
        sys.stdout.reconfigure(errors="backslashreplace")
    logging.getLogger(PACKAGE).setLevel(logging.INFO)
    with _logging_to(logging.StreamHandler()):
        sys.exit(_status(parsed))


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments; wrong ones end the process with status 2.

    Of files after an option, as in `score MODEL --static FILE`, argparse would know nothing more.
    """
    given = sys.argv[1:] if arguments is None else arguments
    parser = make_parser(given[0] if given else None)
    parsed, left = parser.parse_known_args(given)
    options = [one for one in left if one.startswith("-") and one != "-"]
    if left and (options or not hasattr(parsed, "files")):
        parser.error(f"unrecognized arguments: {' '.join(options or left)}")
    if left:
        parsed.files = [*parsed.files, *left]
    return parsed


def _open_closed_streams() -> None:
    """Take a closed stream (`<&-`, `>&-`), for which Python has none, for an empty device."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def verbs() -> dict[str, str]:
    """Return the names of the modules of all verbs, by verb: `engine-table` is `engine_table`."""
    modules = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    return {name.replace("_", "-"): name for name in modules if not name.startswith("_")}


class _Version(argparse.Action):
    """The option that prints the version of the installed package."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print it and end the process."""
        from importlib.metadata import version  # is not needed otherwise

        print(f"{parser.prog} {version('online-rnnlm')}")
        parser.exit()


class _Parser(argparse.ArgumentParser):
    """A parser whose error is one line: argparse would print the usage of the verb, too."""

    def error(self, message: str) -> NoReturn:
        """End the process with status 2 and the message."""
        verb = self.prog.partition(" ")[2]
        where = f"{verb}: " if verb else ""
        self.exit(2, f"{ERROR_MARK}{where}{message}; see `{self.prog} --help`\n")


def make_parser(named: str | None = None) -> argparse.ArgumentParser:
    """Make the parser of all verbs, or of a named one alone: importing the others takes time."""
    known = verbs()
    wanted = {named: known[named]} if named in known else known
    parser = _Parser(
        prog="online-rnnlm",
        description="The stages of the experiment, one a verb, which Snakemake runs in order; and "
        "the uses of a trained model: export, info, score, compare, rescore, sample, nearest, "
        "vectors and serve; and completion, for the shell.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    added = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, module_name in wanted.items():
        verb = import_module(f"{commands.__name__}.{module_name}")
        one = added.add_parser(
            name,
            help=verb.HELP,
            description=verb.HELP,
            epilog=getattr(verb, "EXAMPLE", None),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.set_defaults(run_verb=verb.run)
        one.add_argument("--log", type=Path, help="write the messages to this file, too")
        verb.add_arguments(one)
    return parser


def _status(parsed: argparse.Namespace) -> int:
    """Run the verb and write its log to a file if one is given; return the exit status."""
    try:
        log = _log_file(parsed.log)
    except UserError as error:
        return _failed(error)
    with _logging_to(log):
        return _outcome(parsed)


def _outcome(parsed: argparse.Namespace) -> int:
    """Run the verb and return the exit status.

    A user's error, a file that cannot be read or written, and a lack of memory are reported in one
    line.
    """
    try:
        with needing_packages():
            _run(parsed)
        sys.stdout.flush()
    except UserError as error:
        return _failed(error)
    except Stopped as stopped:
        return stopped.status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output has ended; nothing more can be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, MemoryError) as error:
        refused = _what_is_refused(error)
        if refused is None:
            raise
        return _failed(refused)
    return 0


def _run(parsed: argparse.Namespace) -> None:
    """Run the verb; as a job of the workflow it leaves a receipt, unless its files are current."""
    order: Path | None = getattr(parsed, "job", None)
    if order is None:
        parsed.run_verb(parsed)
        return
    with receipts.recording(*receipts.ordered_job(order)) as made_already:
        if not made_already:
            parsed.run_verb(parsed)


def _what_is_refused(error: OSError | MemoryError) -> str | None:
    """Return, in a line, the file or memory that the system refuses; None if it is neither."""
    if isinstance(error, MemoryError):
        return f"this machine has too little memory: {error}"
    reason = why_unwritable(error)
    if reason is None and error.filename is None:
        return None
    return f"{error.filename or 'a file, or the standard output'}: {reason or error.strerror}"


def _failed(message: object) -> int:
    """Log an error in one line, and return the exit status.

    Bytes of a file's name that are no text are shown as escapes, such as `\\udcff`.
    """
    line = " ".join(str(message).split())
    shown = line.encode("utf-8", errors="backslashreplace").decode("utf-8")
    logger.error("%s%s", ERROR_MARK, shown)
    return message.status if isinstance(message, UserError) else 1


def _log_file(file: Path | None) -> logging.Handler:
    """Make the handler that writes the log; raises UserError if the file cannot be written.

    A log of that name is written anew, but no other file is overwritten.
    """
    if file is None:
        return logging.NullHandler()
    try:
        if file.suffix != ".log" and file.is_file() and file.stat().st_size:
            raise UserError(
                f"--log {file}: is another file, which would be lost: give a new name, or one that "
                "ends in `.log`"
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        return logging.FileHandler(file, "w", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UserError(f"--log {file}: cannot be written: {error.strerror}") from None


@contextmanager
def _logging_to(handler: logging.Handler) -> Iterator[None]:
    """Send the package's log to a handler while the block runs."""
    package = logging.getLogger(PACKAGE)
    package.addHandler(handler)
    try:
        yield
    finally:
        package.removeHandler(handler)
        with suppress(OSError):  # the disk may be full
            handler.close()
