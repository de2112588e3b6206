r"""N-best lists, several hypotheses of one utterance or sentence, as other programs write them, and
their rescoring with a trained model.

Moses: `0 ||| the cat ||| Features= -1 -2 ||| -3.5`, the last field the sum of the scores; it may be
missing. Kaldi: `utterance-1 the cat`, the number after the last `-` that of the hypothesis. TSV:
`utterance`, `score` and `the cat`, separated by tabs, without a header.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.corpora.corpus import SENTENCE_END_ID
from online_rnnlm.errors import UserError, naming
from online_rnnlm.use.scoring import TextScorer
from online_rnnlm.use.text import GivenText, Layout, lacking, numbered_lines

ListFormat = Literal["moses", "kaldi", "tsv"]
Context = Literal["last", "all"]
"""The text read before a list: the best hypothesis of the previous list, or those of all before."""
FEATURE = "OnlineLM="
UNKNOWN_FEATURE = "OnlineLMUnknown="
_KALDI = re.compile(r"(\S+)-\d+(?: +(.*))?")


class Hypothesis(NamedTuple):
    """One guess of what was said or meant, and the model's score of it once it has one."""

    key: str
    """The name of the list that it belongs to."""
    text: str
    score: float
    """The score that it has already; 0 if there is none."""
    line: str
    """Its line in the list."""
    log_probability: float = math.nan
    """Natural log P of its words and its end."""
    unknown: int = 0
    """Number of its words that are not in the vocabulary."""
    total: float = math.nan
    """Its score before, and log P less the unknown words' penalties, times the weight."""


def read_lists(texts: Sequence[GivenText], form: ListFormat) -> Iterator[list[Hypothesis]]:
    """Read the lists of texts or files: hypotheses of one key, which follow one another in each.

    Raises UserError, which names the file and the line, for what is no such list, and for a key
    that comes again after its list has ended: some hypotheses would be ranked without the others.
    """
    hypotheses: list[Hypothesis] = []
    begun: set[str] = set()
    """The keys of the lists of the text that is read."""
    for line in numbered_lines(texts):
        if line.begins:
            begun = set()
        if not line.text.strip():
            continue
        with naming(line.where):
            hypothesis = parse(line.text, form)
        if not begun or hypothesis.key != hypotheses[0].key:
            if hypothesis.key in begun:
                raise UserError(
                    f"{line.where}: list {hypothesis.key}: has ended before: the hypotheses of a "
                    "list must follow one another"
                )
            if hypotheses:
                yield hypotheses
            begun.add(hypothesis.key)
            hypotheses = []
        hypotheses.append(hypothesis)
    if not hypotheses:
        raise lacking(texts, "list")
    yield hypotheses


def parse(line: str, form: ListFormat) -> Hypothesis:
    """Read a line; raises UserError, without its place, if it is not in that format."""
    if form == "moses":
        fields = [field.strip(" \t") for field in line.split("|||")]
        if len(fields) < 2:
            needed = "`0 ||| text ||| features ||| score` is needed"
            raise UserError(f"no line of a Moses list: {needed}")
        if len(fields) > 2 and FEATURE in fields[2].split():
            twice = "which would count twice: give the list before"
            raise UserError(f"has `{FEATURE}` already, {twice}")
        score = _number(fields[3]) if len(fields) > 3 and fields[3] else 0.0
        return Hypothesis(fields[0], fields[1], score, line)
    if form == "kaldi":
        match = _KALDI.fullmatch(line.strip(" \r"))
        if match is None or "\t" in line:
            raise UserError("no line of a Kaldi list: `utterance-1 text` is needed")
        return Hypothesis(match[1], match[2] or "", 0.0, line)
    fields = line.split("\t")
    if len(fields) != 3:
        raise UserError(
            f"{len(fields)} columns: `utterance`, `score` and `text` are needed, without a header; "
            "what `rescore` or `score` has written is no such list"
        )
    return Hypothesis(fields[0], fields[2], _number(fields[1]), line)


def _number(text: str) -> float:
    """Read a score."""
    with suppress(ValueError):
        value = float(text)
        if math.isfinite(value):
            return value
    raise UserError(f"the score {text[:40]!r}: a finite number is needed; a list has no header")


def rescore(
    scorer: TextScorer,
    lists: Iterable[list[Hypothesis]],
    layout: Layout,
    adaptation: Adaptation,
    *,
    weight: float = 1.0,
    context: Context | None = None,
    unknown_penalty: float | None = None,
) -> Iterator[list[Hypothesis]]:
    """Yield each list, in its order, with the model's scores.

    No hypothesis learns from another one of its list: each begins with the trained weights or, with
    a context, after the best hypotheses before. An empty hypothesis has the probability of an end.
    By default, the penalty of an unknown word (nats) is log of the times that one is in the
    training text.
    Raises UserError for text that cannot be read, and for a context from which nothing is carried
    over.
    """
    network = scorer.network
    unknown_word = network.corpus.unk_id
    if unknown_penalty is None:
        # `<unk>` stands for all n unknown words of the training text together; one of them is given
        # 1/n of its probability.
        unknown_penalty = math.log(max(1, network.corpus.counts[unknown_word]))
    adaptation = replace(adaptation, unit_of_text="sentence" if context is None else "document")
    begin = network.start(adaptation)
    before = begin
    if context is not None and not network.carries_over(adaptation):
        raise UserError(
            "--context: nothing is carried over from one sentence to the next: no vector learns, "
            "and the hidden state begins anew with each sentence"
        )
    for hypotheses in lists:
        texts = [_encoded(hypothesis, scorer, layout) for hypothesis in hypotheses]
        # Equal texts are read once, so that rounding ranks none of them before another.
        distinct = list(dict.fromkeys(texts))
        read = dict(
            zip(distinct, network.read_after([before] * len(distinct), distinct), strict=True)
        )
        rescored = []
        for hypothesis, ids in zip(hypotheses, texts, strict=True):
            log = float(np.add.reduceat(read[ids].log_probabilities, [0])[0])  # as `score` adds
            unknown = ids.count(unknown_word)
            total = hypothesis.score + weight * (log - unknown_penalty * unknown)
            rescored.append(hypothesis._replace(log_probability=log, unknown=unknown, total=total))
        yield rescored
        best = texts[max(range(len(rescored)), key=lambda place: rescored[place].total)]
        if context == "all":
            before = read[best].state
        elif context == "last":
            before = network.read_after([begin], [best])[0].state


def _encoded(hypothesis: Hypothesis, scorer: TextScorer, layout: Layout) -> tuple[int, ...]:
    """Return the ids of a hypothesis's words, and that of its end."""
    with naming(f"list {hypothesis.key}"):
        words = scorer.preparation.words(hypothesis.text, layout)
    return (*scorer.network.ids(words), SENTENCE_END_ID)


def written(hypothesis: Hypothesis, form: ListFormat) -> str:
    """Return the line of a hypothesis that has been scored.

    In Moses's format log P is a feature `OnlineLM=`, and the number of unknown words another one.
    In the others, log P, the new sum of scores and that number are columns between the key and the
    text.
    """
    log_probability = f"{hypothesis.log_probability:.6f}"
    total = f"{hypothesis.total:.6f}"
    if form == "moses":
        fields = [field.strip(" \t") for field in hypothesis.line.split("|||")]
        features = fields[2] if len(fields) > 2 else ""
        ours = f"{FEATURE} {log_probability} {UNKNOWN_FEATURE} {hypothesis.unknown}"
        with_ours = f"{features} {ours}".strip()
        return " ||| ".join([*fields[:2], with_ours, total, *fields[4:]])
    key = hypothesis.line.split()[0] if form == "kaldi" else hypothesis.key
    return "\t".join([key, log_probability, total, str(hypothesis.unknown), hypothesis.text])
