"""Add a trained model's scores to n-best lists, and rank them anew."""

from __future__ import annotations

import argparse

from online_rnnlm.commands._inputs import add_model, add_texts, texts_in
from online_rnnlm.commands._verb import Verb, value_of
from online_rnnlm.config.base import NonNegativeFloat
from online_rnnlm.errors import UserError
from online_rnnlm.use.text import layout_of


def add_rescore_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rescore`."""
    add_model(parser)
    add_texts(parser, "the lists")
    parser.add_argument(
        "--format",
        choices=("moses", "kaldi", "tsv"),
        default="moses",
        help="the format of the lists, see below (default: %(default)s)",
    )
    parser.add_argument(
        "--tsv",
        action="store_true",
        help="write the columns key, log P, sum, unknown words and text, whatever the format of "
        "the lists is",
    )
    parser.add_argument(
        "--tokenised", action="store_true", help="the texts are tokens with spaces between them"
    )
    parser.add_argument(
        "--weight",
        type=value_of(NonNegativeFloat),
        default=1.0,
        help="factor of log P (nats) in the sum with the score that is there "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--unknown-penalty",
        type=value_of(NonNegativeFloat),
        metavar="NATS",
        help="what log P loses in the sum for each word that is not in the vocabulary (default: "
        "log of the number of times that such a word is in the training text)",
    )
    parser.add_argument(
        "--context",
        choices=("last", "all"),
        help="score each list after the best hypothesis of the list before, alone (`last`), or "
        "after those of all lists before (`all`)",
    )
    parser.add_argument("--frozen", action="store_true", help="nothing learns")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--keep-order", action="store_true", help="do not rank the hypotheses anew")
    shown.add_argument("--best", action="store_true", help="write the best hypothesis's text only")


def run_rescore(arguments: argparse.Namespace) -> None:
    """Print the lists with the model's scores, ranked anew."""
    from online_rnnlm.use.model import load
    from online_rnnlm.use.rescoring import ListFormat, read_lists, rescore, written

    if arguments.best and arguments.tsv:
        raise UserError("--tsv: not allowed with --best, which writes the text only")
    texts = texts_in(arguments)
    model = load(arguments.model)
    lists = rescore(
        model.scorer,
        read_lists(texts, arguments.format),
        layout_of(tokenised=arguments.tokenised),
        model.scorer.adaptation(frozen=arguments.frozen),
        weight=arguments.weight,
        context=arguments.context,
        unknown_penalty=arguments.unknown_penalty,
    )
    form: ListFormat = "tsv" if arguments.tsv else arguments.format
    for rescored in lists:
        ordered = rescored
        if not arguments.keep_order:  # equal ones stay in their order
            ordered = sorted(rescored, key=lambda hypothesis: -hypothesis.total)
        if arguments.best:
            print(ordered[0].text)
        else:
            print("\n".join(written(hypothesis, form) for hypothesis in ordered))


RESCORE = Verb(
    "add a trained model's scores to n-best lists, and rank them anew",
    add_rescore_arguments,
    run_rescore,
    """\
example: printf '0 ||| the of city\\n0 ||| the city of\\n' | online-rnnlm rescore

- moses: `0 ||| text ||| features ||| score`. Log P is added as a feature `OnlineLM=`, and the
  number of unknown words as `OnlineLMUnknown=`.
- kaldi: `utterance-1 text`. The result has the columns key, log P, sum, unknown words and text.
- tsv: the columns `utterance`, `score` and `text`, without a header. The result has the columns of
  that of kaldi.""",
)
