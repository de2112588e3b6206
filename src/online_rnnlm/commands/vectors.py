"""Verbs for document vectors: write those of a text, and find sentences by them."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, get_args

from online_rnnlm.commands._inputs import (
    add_layout,
    add_model,
    add_texts,
    as_texts,
    descriptions_of,
    layout_given,
)
from online_rnnlm.commands._verb import (
    Verb,
    add_format,
    positive_number,
    print_rows,
    whole_number_to,
)
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.errors import UserError
from online_rnnlm.use.options import WayOptions
from online_rnnlm.use.text import read_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from online_rnnlm.core.way import Way
    from online_rnnlm.use.scoring import TextScorer
    from online_rnnlm.use.text import Layout, TextOrFile


def add_vectors_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `vectors`."""
    add_model(parser)
    add_texts(parser)
    add_layout(parser)
    unit_of_text = descriptions_of(WayOptions)["unit_of_text"]
    parser.add_argument("--unit-of-text", choices=get_args(UnitOfText), help=unit_of_text)
    parser.add_argument(
        "--per",
        choices=("sentence", "document"),
        default="sentence",
        help="write a vector after each sentence, or after each document's last one; "
        "with `document`, `--unit-of-text document` is the default (default: %(default)s)",
    )
    parser.add_argument(
        "--learning-rate", type=positive_number, metavar="RATE", help="of the vector"
    )
    add_format(parser, "how the vectors are written", ("tsv", "jsonl"))


def run_vectors(arguments: argparse.Namespace) -> None:
    """Print the vectors of a text."""
    from online_rnnlm.use.model import load

    texts = as_texts(arguments.texts)
    model = load(arguments.model)
    unit_of_text = arguments.unit_of_text
    if unit_of_text is None and arguments.per == "document":
        unit_of_text = "document"
    way = model.scorer.way(unit_of_text=unit_of_text, learning_rate=arguments.learning_rate)
    found = _vectors_of(model.scorer, texts, layout_given(arguments), way)
    if arguments.per == "document":
        # An empty line has no vector of its own.
        with_text = (pair for pair in found if pair[0].text)
        documents = itertools.groupby(with_text, lambda pair: pair[0].document)
        found = (list(of_document)[-1] for _, of_document in documents)
    rows = (
        {
            "document": sentence.document,
            "sentence": sentence.sentence,
            **(
                {"vector": vector.tolist()}
                if arguments.format == "jsonl"
                else {f"v{place}": element for place, element in enumerate(vector, 1)}
            ),
            "text": sentence.text,
        }
        for sentence, vector in found
    )
    print_rows(rows, arguments.format)


def add_nearest_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nearest`."""
    add_model(parser)
    add_texts(parser, "the sentences to look for")
    add_layout(parser)
    parser.add_argument(
        "--among",
        metavar="TEXT",
        action="append",
        required=True,
        help="the text to search, as above; may be repeated",
    )
    parser.add_argument(
        "--number",
        type=whole_number_to(10**6),
        default=5,
        help="how many to find for each sentence (default: %(default)s)",
    )
    add_format(parser, "how the sentences are written")


def run_nearest(arguments: argparse.Namespace) -> None:
    """Print the nearest sentences to each one."""
    import numpy as np

    from online_rnnlm.use.model import load
    from online_rnnlm.use.vectors import nearest, unit_vectors

    searched = as_texts(arguments.among)
    texts = as_texts(arguments.texts)
    if "-" in arguments.among and (not texts or "-" in arguments.texts):
        raise UserError("--among: standard input is the sentences to look for; name a file")
    model = load(arguments.model)
    way = model.scorer.way(unit_of_text="sentence")  # each vector is learnt from one sentence alone

    def read(texts: Sequence[TextOrFile]) -> tuple[list[Any], NDArray[np.float32]]:
        found = _vectors_of(model.scorer, texts, layout_given(arguments), way)
        sentences, vectors = zip(*(pair for pair in found if pair[0].text), strict=True)
        return [*sentences], unit_vectors(np.stack(vectors, dtype=np.float64))

    among, vectors = read(searched)
    queries, wanted = read(texts)
    found = (
        (query, [(among[n], cosine) for n, cosine in nearest(vectors, vector, arguments.number)])
        for query, vector in zip(queries, wanted, strict=True)
    )
    if arguments.format == "plain":
        for query, sentences in found:
            print(query.text)
            for near, cosine in sentences:
                print(f"  {cosine:6.3f}  {near.text}")
        return
    rows = (
        {"query": query.sentence, "cosine": cosine, "sentence": near.sentence, "text": near.text}
        for query, sentences in found
        for near, cosine in sentences
    )
    print_rows(rows, arguments.format)


def _vectors_of(
    scorer: TextScorer, texts: Sequence[TextOrFile], layout: Layout, way: Way
) -> Iterator[tuple[Any, NDArray[np.floating]]]:
    """Yield a row of `rows_of_sentences` and the document vector after it for each sentence.

    Raises UserError if no vector learns, for text that cannot be read, and if the model diverges.
    """
    scorer.require_vector(way)
    for part in scorer.score_parts(read_text(texts, scorer.preparation, layout), way):
        rows = part.rows_of_sentences().itertuples(index=False)
        yield from zip(rows, part.document_vectors, strict=True)


VECTORS = Verb(
    "write the document vectors of a text",
    add_vectors_arguments,
    run_vectors,
    """\
example: echo "Karachi is the capital of Sindh." | online-rnnlm vectors

TSV has the columns document, sentence, v1, v2, … and text.""",
)
NEAREST = Verb(
    "find the sentences of a text that are nearest to given ones by their document vectors",
    add_nearest_arguments,
    run_nearest,
    """\
example: echo "The river is long." | online-rnnlm nearest --among LICENSE

TSV and JSON have the columns query, cosine, sentence and text;
queries and the text's sentences are numbered from 0.""",
)
