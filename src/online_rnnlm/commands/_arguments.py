"""Arguments that several verbs take, and what they name: experiments, runs, models, texts."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args, get_type_hints
from zipfile import is_zipfile

from online_rnnlm.config.experiment import Plan, load
from online_rnnlm.config.runs import Run
from online_rnnlm.config.testing import MOST_STEPS
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.errors import UserError, suggestion
from online_rnnlm.storage.paths import ExperimentDirectory, experiment_directory
from online_rnnlm.use.options import WAY_OPTIONS, WayOptions

if TYPE_CHECKING:
    from online_rnnlm.use.model import TrainedModel
    from online_rnnlm.use.text import Layout

Item = TypeVar("Item")
RowGroup = tuple[str, Sequence[tuple[str, Sequence[object]]]]
"""A heading, and rows: each is a text for people, and its values for programs."""
CONFIGURATION = Path("config/config.yaml")
MOST_PROCESSES = 1000


Argument = Callable[[argparse._ActionsContainer], object]
"""A function that adds an argument, or several, to a parser."""


class Verb(NamedTuple):
    """A verb of the command line."""

    help: str
    run: Callable[[argparse.Namespace], None]
    arguments: Sequence[Argument]
    example: str | None = None
    """A command to try, and what else its help says at the end."""


def argument(*names: str, **options: Any) -> Argument:
    """Return a verb's argument, which argparse adds by these names and options."""
    return lambda parser: parser.add_argument(*names, **options)


def flag(name: str, help: str) -> Argument:
    """Return an option without a value."""
    return argument(name, action="store_true", help=help)


def one_of(*arguments: Argument) -> Argument:
    """Return arguments of which at most one may be given."""

    def add(parser: argparse._ActionsContainer) -> None:
        group = parser.add_mutually_exclusive_group()
        for each in arguments:
            each(group)

    return add


def whole_number(most: int, least: int = 1) -> Callable[[str], int]:
    """Return a function that reads a whole number from `least` to `most` for argparse."""

    def read(text: str) -> int:
        with suppress(ValueError):
            if least <= int(text) <= most:
                return int(text)
        allowed = f"whole numbers from {least} to {most}"
        raise argparse.ArgumentTypeError(f"{text!r}: allowed: {allowed}")

    return read


def finite_number(text: str) -> float:
    """Read a finite number for argparse."""
    with suppress(ValueError):
        if math.isfinite(float(text)):
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r}: allowed: finite numbers")


def positive_number(text: str) -> float:
    """Read a number above 0 for argparse."""
    with suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r}: allowed: numbers above 0")


def new_file(text: str) -> Path:
    """Read the name of a file to write for argparse: not that of a directory, or of a pipe."""
    if text == "-" or Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r}: a file's name is needed")
    return Path(text)


CONFIG = argument(
    "--config",
    type=Path,
    default=CONFIGURATION,
    help="the experiment's configuration (default: %(default)s)",
)
RUN = (CONFIG, argument("--run", required=True, help="name of the run"))
RESULTS = argument("results", type=Path, help="the experiment's folder, such as results/demo")
MODEL = argument(
    "model",
    nargs="?",
    help="a file that `export` wrote, a run's folder, the folder of an experiment's results, "
    "whose best model on `valid` is used, or an address of MLflow (`models:/…`, `runs:/…`); "
    "if left out, also before a FILE of text: the model that comes with the project",
)
FROZEN = flag("--frozen", "nothing learns")
JSON = flag("--json", "print JSON")
TOKENISED = flag("--tokenised", "a sentence a line, spaces between its tokens")
LINES = flag("--lines", "each line is a sentence: it is not divided")


def files(what: str) -> Argument:
    """Return the argument of the files to read."""
    return argument(
        "files",
        nargs="*",
        default=[],
        metavar="FILE",
        help=f"{what}: files, or texts in quotes; `-` or nothing is standard input",
    )


def text(what: str = "the text") -> tuple[Argument, ...]:
    """Return the arguments of a text and its layout: raw and to be divided if none is given."""
    return files(what), one_of(TOKENISED, LINES)


def formats(*names: str, help: str) -> tuple[Argument, ...]:
    """Return the formats of lines; the first is the default, and `--json` is short for `jsonl`."""
    chosen = argument(
        "--format", choices=names, default=names[0], help=f"{help} (default: {names[0]})"
    )
    short = argument(
        "--json",
        dest="format",
        action="store_const",
        const="jsonl",
        help="the same as `--format jsonl`",
    )
    return (chosen, short) if "jsonl" in names else (chosen,)


_READ_AS: Mapping[str, Mapping[str, Any]] = {
    "updates": {"metavar": "PARTS"},
    "learn_after": {"metavar": "MOMENT"},
    "unit_of_text": {"choices": get_args(UnitOfText)},
    "learning_rate": {"type": positive_number, "metavar": "RATE"},
    "steps": {"type": whole_number(MOST_STEPS)},
}
"""For options of `WayOptions`, the arguments of argparse by which their values are read and shown.
"""


def way_option(name: str, help: str = "") -> Argument:
    """Return an option of `WayOptions`, which describes it, unless `help` does."""

    def add(parser: argparse._ActionsContainer) -> None:
        described = WAY_OPTIONS.json_schema()["properties"][name]["description"]
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, help=help or described, **_READ_AS.get(name, {}))

    return add


WAY = (
    one_of(FROZEN, way_option("updates")),
    *(way_option(name) for name in get_type_hints(WayOptions) if name != "updates"),
)
"""The options of what learns from the text."""


def experiment_of(arguments: argparse.Namespace) -> tuple[Plan, ExperimentDirectory]:
    """Read the experiment that `--config` describes; return its plan and its folder.

    Raises UserError if the configuration is wrong.
    """
    from online_rnnlm.corpora.planning import with_digits

    experiment = load(arguments.config)
    plan = experiment if isinstance(experiment, Plan) else with_digits(experiment)
    return plan, experiment_directory(experiment.experiment)


def named(arguments: argparse.Namespace, what: str, among: Mapping[str, Item]) -> Item:
    """Return what the option `--<what>` names; raises UserError if nothing has that name."""
    name = getattr(arguments, what)
    if name not in among:
        has = ", ".join(among) or "none"
        meant = suggestion(name, among)
        raise UserError(f"{arguments.config}: no {what} `{name}`; {meant}it has {has}")
    return among[name]


def run_of(arguments: argparse.Namespace) -> tuple[Plan, Run, ExperimentDirectory]:
    """Find the run that `--run` names; return the experiment, the run and the experiment's folder.

    Raises UserError if there is no run of that name.
    """
    experiment, directory = experiment_of(arguments)
    runs = {run.name: run for run in experiment.trainings()}
    return experiment, named(arguments, "run", runs), directory


def results_of(arguments: argparse.Namespace) -> ExperimentDirectory:
    """Return the experiment's folder; raises UserError if it has no runs."""
    directory = ExperimentDirectory(arguments.results)
    if not directory.runs.is_dir():
        raise UserError(f"{directory.path}: no runs are there: run the experiment first")
    return directory


def model_of(arguments: argparse.Namespace) -> TrainedModel:
    """Load the model; a first argument that is a text, or a file of text, is no model.

    Raises UserError if there is none, or if a text was given in its place.
    """
    from online_rnnlm.tracking.model import MODEL_ADDRESSES, load
    from online_rnnlm.use.text import is_text

    given = arguments.model
    if given is None:
        return load(None)
    if not hasattr(arguments, "files"):  # of a verb that reads no text
        if is_text(given):
            raise UserError(f"{given!r}: no such model")
    elif is_text(given) or _is_file_of_text(Path(given)):
        arguments.model = None
        arguments.files = [given, *arguments.files]
    elif not (Path(given).exists() or given.startswith(MODEL_ADDRESSES)):
        raise UserError(
            f"{given}: no such file, neither of a model nor of a text; a text in quotes has more "
            "than one word"
        )
    return load(arguments.model)


def _is_file_of_text(path: Path) -> bool:
    """True for standard input, a pipe, and a file that is no model's."""
    if path.is_file():
        return path.suffix != ".onlm" and not is_zipfile(path)
    return path == Path("-") or path.is_fifo() or path.is_char_device()


def layout_of(arguments: argparse.Namespace) -> Layout:
    """Return the layout of the text: raw text that is divided, unless an option says otherwise."""
    return "tokenised" if arguments.tokenised else "lines" if arguments.lines else "running"


def way_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options that say what learns from the text."""
    options = {name: getattr(arguments, name) for name in get_type_hints(WayOptions)}
    if arguments.frozen:
        options["updates"] = "none"
    return options


def print_rows(
    form: str,
    columns: Sequence[str],
    groups: Iterable[RowGroup],
) -> None:
    """Print headings and texts for people, or the values as TSV with a header, or as JSON lines."""
    if form == "tsv":
        print("\t".join(columns))
    for heading, rows in groups:
        if form == "plain":
            print(heading)
        for text, values in rows:
            if form == "plain":
                print(text)
            elif form == "tsv":
                print("\t".join(map(str, values)))
            else:
                row = dict(zip(columns, values, strict=True))
                print(json.dumps(row, ensure_ascii=False))
