"""List the verbs, or explain one."""

from __future__ import annotations

import argparse

HELP = "list the verbs, or explain one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("verb", nargs="?", help="the verb to explain")
    parser.add_argument("--all", action="store_true", help="list the stages of an experiment, too")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.commands._main import make_parser, overview

    if arguments.verb:
        make_parser(arguments.verb).parse_args([arguments.verb, "--help"])
    print(overview(stages=arguments.all), end="")
