"""Arguments that several verbs have: an experiment, a model, a text, and what learns from it."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any, get_args, get_type_hints
from zipfile import is_zipfile

from pydantic import TypeAdapter

from online_rnnlm.commands._verb import value_of
from online_rnnlm.config.plan import Plan, load_plan
from online_rnnlm.core.adaptation import NONE
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.corpora.textfiles import check_text
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.use.options import AdaptationOptions
from online_rnnlm.use.text import GivenText, Layout, layout_of, text_at


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add the argument of an experiment."""
    parser.add_argument("results", type=Path, help="the experiment's folder, such as results/demo")


def results_of(arguments: argparse.Namespace) -> ExperimentDirectory:
    """Return the folder of an experiment's results; raises UserError if it has no plan."""
    directory = ExperimentDirectory(arguments.results)
    if not directory.configuration.is_file():
        raise UserError(f"{directory.path}: no experiment is there: run it first")
    return directory


def experiment_of(arguments: argparse.Namespace) -> tuple[Plan, ExperimentDirectory]:
    """Return the plan of an experiment, and the folder of its results."""
    directory = results_of(arguments)
    return load_plan(directory.configuration), directory


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the option of the model of a verb that reads or makes text."""
    parser.add_argument(
        "--model",
        help="a file that `export` wrote, a run's folder, the folder of an experiment's results, "
        "whose best model on `valid` is used, or an address of MLflow (`models:/…`, `runs:/…`) "
        "(default: the model that comes with the project)",
    )


def add_texts(parser: argparse.ArgumentParser, what: str = "the text") -> None:
    """Add the arguments of the texts to read."""
    parser.add_argument(
        "texts",
        nargs="*",
        metavar="TEXT",
        help=f"{what}: files, or texts of several words in quotes; `-` or nothing is standard "
        "input",
    )


def texts_in(arguments: argparse.Namespace) -> list[GivenText]:
    """Return the text that each argument is, or that of its file; no argument is standard input.

    An argument is a text if it is empty or has white space, and is no file's name. Raises UserError
    for a folder, a model, or a file that is not there.
    """
    from online_rnnlm.use.places import ADDRESSES

    texts = []
    for number, one in enumerate(arguments.texts or ["-"], 1):
        path = Path(one)
        is_there = one == "-" or os.path.exists(one)  # noqa: PTH110  # a text may be too long
        if not is_there and one.split() != [one]:
            name = f"text {number}"
            check_text(one, name, one_line=False)
            texts.append(GivenText(name, one.splitlines() or [""]))
            continue
        # Only files are asked whether they are zip files: a pipe's text can be read once.
        is_no_text = is_there and (path.is_dir() or (path.is_file() and is_zipfile(path)))
        if is_no_text or path.suffix == ".onlm" or one.startswith(ADDRESSES):
            raise UserError(f"{one}: is no text; name a model by `--model`")
        if not is_there:
            raise UserError(
                f"{one}: no such file; a text is several words in quotes, or standard input"
            )
        texts.append(text_at(one))
    return texts


def add_layout(parser: argparse.ArgumentParser) -> None:
    """Add the options of the layout of a text: raw and to be divided if none is given."""
    layout = parser.add_mutually_exclusive_group()
    layout.add_argument(
        "--tokenised", action="store_true", help="a sentence a line, spaces between its tokens"
    )
    layout.add_argument(
        "--lines", action="store_true", help="each line is a sentence: it is not divided"
    )


def layout_given(arguments: argparse.Namespace) -> Layout:
    """Return the layout of the text: raw text that is divided, unless an option says otherwise."""
    return layout_of(tokenised=arguments.tokenised, running=not arguments.lines)


def add_options(parser: argparse.ArgumentParser, kind: type, **metavars: str) -> None:
    """Add an option for each field of a class of options; some have a name for their value."""
    described = TypeAdapter(kind).json_schema()["properties"]
    for name, hint in get_type_hints(kind, include_extras=True).items():
        option = f"--{name.replace('_', '-')}"
        about = described[name]
        if about.get("type") == "boolean":
            parser.add_argument(option, action="store_true", help=about["description"])
            continue
        default = about.get("default")
        shown = "" if default is None else f" (default: {json.dumps(default)})"
        parser.add_argument(
            option,
            type=value_of(hint),
            metavar=metavars.get(name),
            help=about["description"] + shown,
        )


def options_in(arguments: argparse.Namespace, kind: type) -> dict[str, Any]:
    """Return the options of a class that were given, and None for each other one."""
    return {name: getattr(arguments, name) for name in get_type_hints(kind)}


def add_adaptation(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what learns from the text."""
    parser.add_argument(
        "--frozen",
        dest="updates",
        action="store_const",
        const=NONE,
        help="nothing learns: the same as `--updates none`",
    )
    add_options(
        parser,
        AdaptationOptions,
        updates="PARTS",
        learn_after="MOMENT",
        unit_of_text=f"{{{','.join(get_args(UnitOfText))}}}",
        learning_rate="RATE",
    )
