"""List the verbs, or explain one."""

from __future__ import annotations

import argparse

HELP = "list the verbs, or explain one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from online_rnnlm.commands._main import verb_name

    parser.add_argument("verb", nargs="?", type=verb_name, help="the verb to explain")
    parser.add_argument("--all", action="store_true", help="list the stages of an experiment, too")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.commands._main import overview, parser_of

    if arguments.verb:
        parser_of(arguments.verb).print_help()
    else:
        print(overview(stages=arguments.all), end="")
