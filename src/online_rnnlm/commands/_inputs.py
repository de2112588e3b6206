"""Arguments that several verbs have: an experiment, a model, a text, and what learns from it."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints
from zipfile import is_zipfile

from pydantic import TypeAdapter

from online_rnnlm.commands._verb import positive_number, whole_number
from online_rnnlm.config.experiment import Plan, load_plan
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.use.options import SamplingOptions, WayOptions
from online_rnnlm.use.text import Layout, TextFile, TextOrFile, layout_of

if TYPE_CHECKING:
    from online_rnnlm.use.model import TrainedModel


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
    """Add the argument of a model."""
    parser.add_argument(
        "model",
        nargs="?",
        help="a file that `export` wrote, a run's folder, the folder of an experiment's results, "
        "whose best model on `valid` is used, or an address of MLflow (`models:/…`, `runs:/…`); "
        "if left out, also before a text or its file: the model that comes with the project",
    )


def add_files(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the argument of the files to read."""
    parser.add_argument(
        "files",
        nargs="*",
        default=[],
        metavar="FILE",
        help=f"{what}: files, or texts in quotes; `-` or nothing is standard input",
    )


def exists(argument: str) -> bool:
    """True if something on disk has this name."""
    return os.path.exists(argument)  # noqa: PTH110  # a text may be too long


def is_file(argument: str) -> bool:
    """True for standard input, and for the name of a file, a pipe or a device."""
    return argument == "-" or (exists(argument) and not Path(argument).is_dir())


def _is_file_of_text(argument: str) -> bool:
    """True for a file, a pipe or a device that is no model's file."""
    path = Path(argument)
    is_model = path.is_file() and (path.suffix == ".onlm" or is_zipfile(path))
    return is_file(argument) and not is_model


def is_text(argument: str) -> bool:
    """True if an argument is itself the text: it is empty or has a space, and is no file's name."""
    return (not argument or " " in argument) and not exists(argument)


def text_or_file(argument: str) -> TextOrFile:
    """Return what an argument is: itself the text, or the file of one."""
    return argument if is_text(argument) else TextFile(argument)


def model_and_text(arguments: argparse.Namespace) -> tuple[TrainedModel, list[TextOrFile]]:
    """Load the model of a verb that reads text; return the text, too.

    A first argument that is a text, or the file of one, is no model. Raises UserError if there is
    no such model.
    """
    from online_rnnlm.use.model import load
    from online_rnnlm.use.places import ADDRESSES

    model: str | None = arguments.model
    files: list[str] = arguments.files
    if model is not None and (is_text(model) or _is_file_of_text(model)):
        files = [model, *files]
        model = None
    if model is not None and not (exists(model) or model.startswith(ADDRESSES)):
        raise UserError(
            f"{model}: no such file or folder; `make reproduce` makes results/demo, and a text in "
            "quotes needs more than one word"
        )
    return load(model), [*map(text_or_file, files)]


def add_text(parser: argparse.ArgumentParser, what: str = "the text") -> None:
    """Add the arguments of a text and its layout: raw and to be divided if none is given."""
    add_files(parser, what)
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


def descriptions_of(kind: type[WayOptions] | type[SamplingOptions]) -> dict[str, str]:
    """Return what the options of a class mean, with their defaults, by their names."""
    described = {}
    for name, option in TypeAdapter(kind).json_schema()["properties"].items():
        default = option.get("default")
        shown = "" if default is None else f" (default: {json.dumps(default)})"
        described[name] = option["description"] + shown
    return described


def add_way(parser: argparse.ArgumentParser) -> None:
    """Add the options of what learns from the text."""
    said = descriptions_of(WayOptions)
    learns = parser.add_mutually_exclusive_group()
    learns.add_argument("--frozen", action="store_true", help="nothing learns")
    learns.add_argument("--updates", metavar="PARTS", help=said["updates"])
    parser.add_argument("--learn-after", metavar="MOMENT", help=said["learn_after"])
    parser.add_argument("--unit-of-text", choices=get_args(UnitOfText), help=said["unit_of_text"])
    parser.add_argument(
        "--learning-rate", type=positive_number, metavar="RATE", help=said["learning_rate"]
    )
    parser.add_argument("--steps", type=whole_number, help=said["steps"])


def way_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options that say what learns from the text."""
    return {name: getattr(arguments, name) for name in ("frozen", *get_type_hints(WayOptions))}


def sampling_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options that say how words are drawn."""
    return {name: getattr(arguments, name) for name in get_type_hints(SamplingOptions)}
