"""Print a script by which the shell completes this command."""

from __future__ import annotations

import argparse
from pathlib import Path

from online_rnnlm.commands import _arguments

HELP = "print a script by which the shell completes this command"
EXAMPLE = """\
example: online-rnnlm completion bash

bash reads it from ~/.local/share/bash-completion/completions/online-rnnlm, zsh from a file
_online-rnnlm in a folder of $fpath: redirect the output into that file, and open a new shell."""


_FILES = (Path, _arguments.new_file)
"""The types of arguments that are files."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("shell", choices=("bash", "zsh"))


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    import shtab

    from online_rnnlm.commands._main import make_parser

    parser = make_parser()
    _complete_files(parser)
    print(shtab.complete(parser, arguments.shell))


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Mark the arguments that are files: by their types, and positional ones that are texts."""
    import shtab

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                _complete_files(verb)
        elif action.type in _FILES or not (action.option_strings or action.choices or action.type):
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab reads it
