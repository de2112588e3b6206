"""Arguments that the verbs for a trained model take, and the objects that they name."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, get_args

from online_rnnlm.commands import _arguments
from online_rnnlm.config.testing import (
    MOST_STEPS,
    USUAL_STEPS,
    CacheName,
    LearnAfter,
    UnitOfText,
)

if TYPE_CHECKING:
    from online_rnnlm.use.model import TrainedModel
    from online_rnnlm.use.network import Request
    from online_rnnlm.use.text import Layout

_WAY = (
    *("unit_of_text", "learn_after", "learning_rate", "steps"),
    *("cache", "cache_window", "cache_weight", "cache_theta"),
)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model."""
    parser.add_argument(
        "model",
        help="a file that `export` wrote, a run's folder, the folder of an experiment's results, "
        "whose best model on `valid` is used, or an address of MLflow (`models:/…`, `runs:/…`)",
    )


def add_text(parser: argparse.ArgumentParser, what: str = "the text") -> None:
    """Add the text's files and its layout: raw sentences, one a line, if no option is given."""
    parser.add_argument(
        "files",
        nargs="*",
        default=[],
        metavar="FILE",
        help=f"{what}; `-` or nothing is standard input",
    )
    layout = parser.add_mutually_exclusive_group()
    layout.add_argument(
        "--tokenised", action="store_true", help="a sentence a line, spaces between its tokens"
    )
    layout.add_argument(
        "--running", action="store_true", help="a paragraph a line, to be divided into sentences"
    )


def add_learning(parser: argparse.ArgumentParser) -> None:
    """Add the options of what learns from the text."""
    learns = parser.add_mutually_exclusive_group()
    learns.add_argument("--static", action="store_true", help="nothing learns")
    learns.add_argument(
        "--updates",
        metavar="PARTS",
        help="what learns: `none`, `document_vector` (the default if the model has a vector), "
        "`all`, or names joined by `+`",
    )
    parser.add_argument(
        "--learn-after",
        choices=get_args(LearnAfter),
        default="word",
        help="what ends before a step is taken (default: word)",
    )
    add_unit(parser)
    parser.add_argument(
        "--learning-rate",
        type=_arguments.positive_number,
        metavar="RATE",
        help="size of the steps: of the weights that learn, or of the vector, if it alone learns",
    )
    parser.add_argument(
        "--steps",
        type=_arguments.whole_number(MOST_STEPS),
        help="words that a loss is propagated back through if weights learn "
        f"(default: {USUAL_STEPS})",
    )


def add_cache(parser: argparse.ArgumentParser) -> None:
    """Add the options of a cache."""
    parser.add_argument(
        "--cache",
        choices=get_args(CacheName),
        help="mix the model with a cache of the words just read; nothing learns then (`--static`)",
    )
    parser.add_argument(
        "--cache-window",
        type=_arguments.whole_number(10**6),
        metavar="N",
        help="number of words in the cache (default: 2000)",
    )
    parser.add_argument(
        "--cache-weight",
        type=_arguments.finite_number,
        metavar="SHARE",
        help="the cache's share of the mixture, below 1 (default: 0.05 for `unigram_cache`, 0.1 "
        "for `neural_cache`)",
    )
    parser.add_argument(
        "--cache-theta",
        type=_arguments.finite_number,
        metavar="THETA",
        help="how much a `neural_cache` prefers similar hidden states (default: 1)",
    )


def add_unit(parser: argparse.ArgumentParser) -> None:
    """Add the unit of text."""
    parser.add_argument(
        "--unit-of-text",
        choices=get_args(UnitOfText),
        help="stretch of text after which all that was learnt is forgotten; an empty line ends a "
        "document (default: as in training)",
    )


def named_model(arguments: argparse.Namespace) -> TrainedModel:
    """Load the model; raises UserError if there is none."""
    from online_rnnlm.tracking.opening import load

    return load(arguments.model)


def layout_of(model: TrainedModel, arguments: argparse.Namespace) -> Layout:
    """Return the layout of the text; raises UserError if the model cannot prepare it."""
    return model.preparation.layout(running=arguments.running, tokenised=arguments.tokenised)


def request_of(model: TrainedModel, arguments: argparse.Namespace) -> Request:
    """Return what learns from the text; raises UserError for options that cannot be combined."""
    values: dict[str, Any] = vars(arguments)
    return model.request(
        updates="none" if arguments.static else arguments.updates,
        **{key: values[key] for key in _WAY},
    )
