"""Arguments that several verbs have: an experiment, a model, a text, and what learns from it."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints
from zipfile import is_zipfile

from pydantic import TypeAdapter

from online_rnnlm.commands._verb import positive_number, whole_number
from online_rnnlm.config.plan import Plan, load_plan
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.use.options import AdaptationOptions, SamplingOptions
from online_rnnlm.use.text import Layout, TextFile, TextOrFile, layout_of


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


def as_texts(arguments: Sequence[str]) -> list[TextOrFile]:
    """Return the text that each argument is, or its file.

    An argument is a text if it is empty or has white space, and is no file's name. Raises UserError
    for a folder, a model, or a file that is not there.
    """
    from online_rnnlm.use.places import ADDRESSES

    texts: list[TextOrFile] = []
    for one in arguments:
        path = Path(one)
        is_there = one == "-" or os.path.exists(one)  # noqa: PTH110  # a text may be too long
        if not is_there and one.split() != [one]:
            texts.append(one)
            continue
        # Only files are asked whether they are zip files: a pipe's text can be read once.
        is_no_text = is_there and (path.is_dir() or (path.is_file() and is_zipfile(path)))
        if is_no_text or path.suffix == ".onlm" or one.startswith(ADDRESSES):
            raise UserError(f"{one}: is no text; name a model by `--model`")
        if not is_there:
            raise UserError(
                f"{one}: no such file; a text is several words in quotes, or standard input"
            )
        texts.append(TextFile(one))
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


def descriptions_of(kind: type[AdaptationOptions] | type[SamplingOptions]) -> dict[str, str]:
    """Return what the options of a class mean, with their defaults, by their names."""
    described = {}
    for name, option in TypeAdapter(kind).json_schema()["properties"].items():
        default = option.get("default")
        shown = "" if default is None else f" (default: {json.dumps(default)})"
        described[name] = option["description"] + shown
    return described


def add_adaptation(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what learns from the text."""
    said = descriptions_of(AdaptationOptions)
    learns = parser.add_mutually_exclusive_group()
    learns.add_argument("--frozen", action="store_true", help="nothing learns")
    learns.add_argument("--updates", metavar="PARTS", help=said["updates"])
    parser.add_argument("--learn-after", metavar="MOMENT", help=said["learn_after"])
    parser.add_argument("--unit-of-text", choices=get_args(UnitOfText), help=said["unit_of_text"])
    parser.add_argument(
        "--learning-rate", type=positive_number, metavar="RATE", help=said["learning_rate"]
    )
    parser.add_argument("--steps", type=whole_number, help=said["steps"])


def adaptation_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options that say what learns from the text."""
    return {
        name: getattr(arguments, name) for name in ("frozen", *get_type_hints(AdaptationOptions))
    }


def sampling_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options that say how words are drawn."""
    return {name: getattr(arguments, name) for name in get_type_hints(SamplingOptions)}
