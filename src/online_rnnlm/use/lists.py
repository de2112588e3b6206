r"""N-best lists: several hypotheses of one utterance or sentence, as other programs write them.

Moses: `0 ||| the cat ||| Features= -1 -2 ||| -3.5`, the last field the sum of the scores; it may be
missing. Kaldi: `utterance-1 the cat`, the number after the last `-` that of the hypothesis. TSV:
`utterance`, `score` and `the cat`, separated by tabs, without a header. SRILM: a file for each
utterance, with lines `-120.5 -7.2 2 the cat`: the acoustic score, that of the language model, both
to the base 10, and the number of words. HTK: a label file, or several in a master label file, whose
alternatives are divided by `///`; a line is `0 500000 the -210.5`, with a word's score.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple

from online_rnnlm.errors import UserError, naming
from online_rnnlm.use.text import numbered_lines

ListFormat = Literal["moses", "kaldi", "tsv", "srilm", "htk"]
FEATURE = "OnlineLM="
HTK_HEADER = "#!MLF!#"
_KALDI = re.compile(r"(\S+)-\d+(?: +(.*))?")
_HTK = re.compile(r"(?:\d+\s+(?:\d+\s+)?)?(\S+)(?:\s+(\S+).*)?")
_MARKS = {"<s>", "</s>", "!ENTER", "!EXIT", "!NULL", "SENT-START", "SENT-END"}
"""The marks of SRILM and HTK at the ends of sentences, which are no words."""
_LN10 = math.log(10)


class Hypothesis(NamedTuple):
    """One guess of what was said or meant."""

    key: str
    """The name of the list that it belongs to."""
    text: str
    score: float
    """The score that it has already; 0 if there is none."""
    line: str
    """All that the list has of it: a line, or HTK's lines."""


class Rescored(NamedTuple):
    """A hypothesis with the model's score."""

    hypothesis: Hypothesis
    log_probability: float
    """Natural log P of its words and its end."""
    total: float
    """Its score before, and log P times the weight."""


def read_lists(files: Sequence[str], form: ListFormat) -> Iterator[list[Hypothesis]]:
    """Read the lists of files: hypotheses of one key, which follow one another in a file.

    Raises UserError, which names the file and the line, for what is no such list.
    """
    found = False
    for file in files or ["-"]:
        hypotheses = _of_htk(file) if form == "htk" else _of_lines(file, form)
        for _, of_list in groupby(_refuse_divided(hypotheses), lambda one: one.key):
            found = True
            yield list(of_list)
    if not found:
        raise UserError(f"{', '.join(files or ['standard input'])}: no list in it")


def _refuse_divided(hypotheses: Iterable[tuple[str, Hypothesis]]) -> Iterator[Hypothesis]:
    """Yield hypotheses without their places.

    Raises UserError if a key comes again after its list has ended: some hypotheses would be
    ranked without the others.
    """
    begun: set[str] = set()
    current: str | None = None
    for where, hypothesis in hypotheses:
        if hypothesis.key != current and hypothesis.key in begun:
            raise UserError(
                f"{where}: list {hypothesis.key}: has ended before: the hypotheses of a list must "
                "follow one another"
            )
        current = hypothesis.key
        begun.add(current)
        yield hypothesis


def _of_lines(file: str, form: ListFormat) -> Iterator[tuple[str, Hypothesis]]:
    """Read the lines of a file with their places; empty ones are left out."""
    for where, line, _ in numbered_lines([file]):
        if line.strip():
            with naming(where):
                yield where, parse(line, form, _name(file))


def _name(file: str) -> str:
    """Return the utterance of a file by its name, without suffixes."""
    return Path(file).name.removesuffix(".gz").rpartition(".")[0] or Path(file).name


def parse(line: str, form: ListFormat, file: str = "") -> Hypothesis:
    """Read a line; raises UserError, without its place, if it is not in that format.

    `file` is the key of a list that is a file.
    """
    if form == "moses":
        return _moses(line)
    if form == "kaldi":
        found = _KALDI.fullmatch(line.strip(" \r"))
        if found is None or "\t" in line:
            raise UserError("no line of a Kaldi list: `utterance-1 text` is needed")
        return Hypothesis(found[1], found[2] or "", 0.0, line)
    if form == "srilm":
        fields = _fields(line)
        if len(fields) < 3 or not fields[2].isdecimal():
            raise UserError("no line of SRILM's lists: `-120.5 -7.2 2 the cat` is needed")
        _number(fields[1])
        words = " ".join(word for word in fields[3:] if word not in _MARKS)
        return Hypothesis(file, words, _number(fields[0]) * _LN10, line)
    fields = line.split("\t")
    if len(fields) != 3:
        raise UserError(f"{len(fields)} columns: `utterance`, `score` and `text` are needed")
    return Hypothesis(fields[0], fields[2], _number(fields[1]), line)


def _moses(line: str) -> Hypothesis:
    fields = [field.strip(" \t") for field in line.split("|||")]
    if len(fields) < 2:
        raise UserError("no line of a Moses list: `0 ||| text ||| features ||| score` is needed")
    if len(fields) > 2 and FEATURE in fields[2].split():
        raise UserError(f"has `{FEATURE}` already, which would count twice: give the list before")
    score = _number(fields[3]) if len(fields) > 3 and fields[3] else 0.0
    return Hypothesis(fields[0], fields[1], score, line)


def _fields(line: str) -> list[str]:
    """Divide a line at spaces and tabs: other blanks belong to words, as in tokenised text."""
    return [field for field in line.replace("\t", " ").split(" ") if field]


def _number(text: str) -> float:
    """Read a score."""
    with suppress(ValueError):
        value = float(text)
        if math.isfinite(value):
            return value
    raise UserError(f"the score {text[:40]!r}: a finite number is needed")


def _of_htk(file: str) -> Iterator[tuple[str, Hypothesis]]:
    """Read HTK's label files: an alternative ends with `///`, and a label file with `.`."""
    name, lines, where = _name(file), list[str](), file
    for where, line, _ in numbered_lines([file]):
        label = line.strip()
        if label.startswith('"'):
            name, lines = label, []
        elif label in ("///", "."):
            with naming(where):
                yield where, _alternative(name, lines)
            lines = []
        elif label and label != HTK_HEADER:
            lines.append(label)
    if lines:
        with naming(where):
            yield where, _alternative(name, lines)


def _alternative(name: str, lines: Sequence[str]) -> Hypothesis:
    words, score = [], 0.0
    for line in lines:
        found = _HTK.fullmatch(line)
        if found is None:
            raise UserError(f"{line[:40]!r}: no label of HTK's: `0 500000 the -210.5` is needed")
        score += _number(found[2]) if found[2] else 0.0
        words += [found[1]] if found[1] not in _MARKS else []
    return Hypothesis(name, " ".join(words), score, "\n".join(lines))


def written(found: Sequence[Rescored], form: ListFormat) -> list[str]:
    """Return the lines of a list with the model's log P, in the hypotheses' order.

    In Moses's format it is a feature `OnlineLM=`, in SRILM's the score of the language model, to
    the base 10; HTK's has only the order. In the others it is a column of its own, and the new sum
    of the scores another one, between the key and the text.
    """
    if form == "htk":
        alternatives = "\n///\n".join(one.hypothesis.line for one in found)
        name = found[0].hypothesis.key
        return [*([name] if name.startswith('"') else []), alternatives, "."]
    return [_written(*one, form) for one in found]


def _written(hypothesis: Hypothesis, log_probability: float, total: float, form: ListFormat) -> str:
    if form == "moses":
        fields = [field.strip(" \t") for field in hypothesis.line.split("|||")]
        features = fields[2] if len(fields) > 2 else ""
        with_ours = f"{features} {FEATURE} {log_probability:.6f}".strip()
        return " ||| ".join([*fields[:2], with_ours, f"{total:.6f}", *fields[4:]])
    if form == "srilm":
        acoustic, _, *rest = _fields(hypothesis.line)
        return " ".join([acoustic, f"{log_probability / _LN10:.6f}", *rest])
    key = _fields(hypothesis.line)[0] if form == "kaldi" else hypothesis.key
    return "\t".join([key, f"{log_probability:.6f}", f"{total:.6f}", hypothesis.text])
