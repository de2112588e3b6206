"""Add a trained model's scores to n-best lists, and rank them anew."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments
from online_rnnlm.commands._arguments import MODEL, Verb, argument, flag, one_of


def run_rescore(arguments: argparse.Namespace) -> None:
    """Print the lists with the model's scores, ranked anew."""
    from online_rnnlm.use.rescoring import ListFormat, read_lists, rescore, written

    model = _arguments.model_of(arguments)
    way = model.way(updates="none" if arguments.frozen else None)
    lists = rescore(
        model,
        read_lists(arguments.files, arguments.format),
        "tokenised" if arguments.tokenised else "lines",
        way,
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
    run_rescore,
    (
        MODEL,
        _arguments.files("the lists"),
        *_arguments.formats("moses", "kaldi", "tsv", help="the format of the lists, see below"),
        flag(
            "--tsv",
            "write the columns key, log P, sum, unknown words and text, whatever the format "
            "of the lists is",
        ),
        flag("--tokenised", "the texts are tokens with spaces between them"),
        argument(
            "--weight",
            type=_arguments.finite_number,
            default=1.0,
            help="factor of log P (nats) in the sum with the score that is there (default: 1)",
        ),
        argument(
            "--unknown-penalty",
            type=_arguments.finite_number,
            metavar="NATS",
            help="what log P loses in the sum for each word that is not in the vocabulary "
            "(default: log of the number of times that such a word is in the training text)",
        ),
        argument(
            "--context",
            choices=("last", "all"),
            help="score each list after the best hypothesis of the list before, alone (`last`), "
            "or after those of all lists before (`all`)",
        ),
        _arguments.FROZEN,
        one_of(
            flag("--keep-order", "do not rank the hypotheses anew"),
            flag("--best", "write the best hypothesis's text only"),
        ),
    ),
    """\
example: printf '0 ||| the of city\\n0 ||| the city of\\n' | online-rnnlm rescore

- moses: `0 ||| text ||| features ||| score`. Log P is added as a feature `OnlineLM=`, and the
  number of unknown words as `OnlineLMUnknown=`.
- kaldi: `utterance-1 text`. The result has the columns key, log P, sum, unknown words and text.
- tsv: the columns `utterance`, `score` and `text`. The result has the columns of that of kaldi.""",
)
