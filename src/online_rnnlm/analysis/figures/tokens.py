"""The figures of test tokens in groups: by place in a sentence or an article, and by frequency.

For each group, the upper panel has the perplexity of each network with its interval. The lower one
has that of the network whose vector learns, divided by that of each other network.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from online_rnnlm.analysis.figures import drawing
from online_rnnlm.analysis.figures.drawing import MUTED, SURFACE, Drawing
from online_rnnlm.analysis.figures.looks import LEARNING, STATIC, Look
from online_rnnlm.analysis.opponents import headline_with_vector, opponents_of
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.significance import Floats, Ints, bootstrap_interval
from online_rnnlm.analysis.systems import TestedNetwork, longest
from online_rnnlm.config.training import UNITS
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, NONE, Adaptation
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import Vocabulary, load_split, load_vocabulary
from online_rnnlm.corpora.textfiles import SENTENCE_END, UNKNOWN
from online_rnnlm.storage.evaluations import token_scores

_HEIGHT = 6.2
_LOOKS: Sequence[Look] = (
    {**LEARNING, "ls": "-"},
    {**LEARNING, "ls": ":", "mfc": SURFACE},
    {**STATIC, "ls": "--"},
    {**STATIC, "marker": "s", "ls": "-.", "mfc": SURFACE},
)
"""The looks of the learning vector, of the frozen one, and of two static networks."""
_POSITIONS = {1: "1", 2: "2", 3: "3–4", 5: "5–8", 9: "9–16", 17: "17–32", 33: "33 +"}
"""The names of groups of positions in a sentence, or of sentences in an article, by their first."""
_BANDS = {"10 most frequent": 10, "next 100": 100, "next 1,000": 1000}
"""The number of words in each band of word frequency."""
_SPECIAL = [SENTENCE_END, UNKNOWN]
_RESAMPLES = 2000


def draw_position(results: Results) -> Drawing:
    """Draw the groups by the predicted token's position in its sentence."""
    learning = headline_with_vector(results).main
    return _draw(results, learning, by_position, "position in its sentence")


def draw_distance(results: Results) -> Drawing:
    """Draw the groups by the place of the token's sentence in its article.

    The network is the paper's per article or stream, if there is one, beside static ones that read
    alike; else the headline, kept for the article if it was tested so. Raises
    NothingToShowError for a text whose articles are not known.
    """
    vector = headline_with_vector(results)
    if results.scores.pieces(vector.corpus, "sentence").name != "article":
        raise NothingToShowError("The test text has no known articles in their order.")
    kept = Adaptation((DOCUMENT_VECTOR,), unit_of_text="document").name
    learning = vector.tested.get(kept, vector.main)
    for network in results.networks_on(vector.corpus):
        if network.is_the_papers and network.settings.unit_of_text != "sentence":
            learning = network.main
            break
    return _draw(results, learning, by_distance, "sentence's place in its article")


def draw_frequency(results: Results) -> Drawing:
    """Draw the groups by the predicted word's frequency in the training text."""
    learning = headline_with_vector(results).main
    vocabulary = load_vocabulary(results.scores.files_of(learning.corpus))
    group = partial(by_frequency, vocabulary=vocabulary)
    return _draw(results, learning, group, "frequency in the training text")


def _draw(
    results: Results,
    learning: TestedNetwork,
    group: Callable[[Split], pd.Categorical[str]],
    what: str,
) -> Drawing:
    """Draw a network, its vector learning and frozen, beside static ones, by group of test tokens.

    A second panel shows the ratio of the learning vector's perplexity to the others'.
    """
    vector = learning.network
    static = [network.main for network in opponents_of(results, vector)]
    shown = [learning, vector.tested[NONE], *static]
    scores = [_mean_scores(results, tested) for tested in shown]
    split = load_split(results.scores.files_of(vector.corpus), "test")
    groups = group(split)
    pieces = results.scores.pieces(
        vector.corpus, longest(tested.kept_for for tested in [learning, *static])
    )
    by_group = partial(perplexities, groups, pieces.number[_sentences(split)])
    figure, (above, below) = drawing.panels(2, _HEIGHT, ratios=(3, 2))
    found = [by_group(of_network) for of_network in scores]
    ends = []
    for tested, perplexity, look in zip(shown, found, _LOOKS, strict=False):
        _draw_line(above, perplexity, look)
        last = perplexity["mean"].dropna().tail(1)
        place = (float(last.index[0]), float(last.iloc[0]))
        ends.append(drawing.Label(tested.name, place, look["color"]))
    lowest = min(perplexity["low"].min() for perplexity in found)
    drawing.log_scale(above, lowest, max(perplexity["high"].max() for perplexity in found))
    above.set_ylabel("Test perplexity")
    below.axhline(1, color=MUTED, lw=1)
    for other, look in zip(scores[1:], _LOOKS[1:], strict=False):
        _draw_line(below, by_group(scores[0] - other), look)
    below.set_ylabel(f"{vector.network_name} / other")
    below.set_xlabel(f"{what[0].upper()}{what[1:]}")
    for axis in (above, below):
        axis.grid(axis="y")
        axis.set_xticks(range(len(groups.categories)), ticks_of(groups), fontsize="small")
        axis.set_xlim(-0.3, len(groups.categories) - 0.7)
    drawing.label_at_the_right(above, ends)
    seeds = f", pooled over {len(vector.runs)} seeds" if results.several_seeds else ""
    caption = (
        f"Test perplexity by the predicted token's {what}, </s> and <unk> counted"
        f"{seeds}, and each group's share of the tokens; the vector of {vector.network_name} "
        f"is kept for the {UNITS[learning.kept_for]}. Below, its perplexity divided by another's. "
        f"Shaded: 95 % bootstrap intervals over {pieces.name}s."
    )
    return Drawing(figure, caption)


def _mean_scores(results: Results, tested: TestedNetwork) -> Floats:
    """(tokens,): log P of every test token, mean over the seeds."""
    runs = [run.name for run in tested.network.runs]
    by_seed = [token_scores(results.directory, run, tested.evaluation) for run in runs]
    return np.asarray(np.mean(by_seed, axis=0, dtype=np.float64))


def _draw_line(axis: Axes, by_group: pd.DataFrame, look: Look) -> None:
    """Draw the `mean` of each group with a band from `low` to `high`."""
    places = by_group.index.to_numpy()
    color = look["color"]
    axis.fill_between(places, by_group["low"], by_group["high"], color=color, alpha=0.15, lw=0)
    axis.plot(places, by_group["mean"].to_numpy(), lw=1.4, ms=4.5, **look)


def _sentences(split: Split) -> Ints:
    """The number of every token's sentence."""
    return np.repeat(np.arange(split.sentences), np.diff(split.offsets))


def ticks_of(groups: pd.Categorical[str]) -> list[str]:
    """Each group's name, on short lines, and its share of the tokens."""
    ticks = []
    for name, count in groups.value_counts().items():
        short = "\n".join(textwrap.wrap(str(name), 7, break_long_words=False))
        ticks.append(f"{short}\n{100 * count / len(groups):.0f} %")
    return ticks


def by_position(split: Split) -> pd.Categorical[str]:
    """Group tokens by their position in the sentence."""
    return _by_count(np.arange(split.tokens) - split.offsets[_sentences(split)] + 1)


def by_distance(split: Split) -> pd.Categorical[str]:
    """Group tokens by the place of their sentence among those of its article."""
    place = pd.Series(split.articles).groupby(split.articles).cumcount().to_numpy() + 1
    return _by_count(place[_sentences(split)])


def _by_count(count: Ints) -> pd.Categorical[str]:
    """Group tokens by a number (tokens,), which is 1 or more."""
    group = np.searchsorted([*_POSITIONS], count, side="right") - 1
    return pd.Categorical.from_codes(group, pd.Index([*_POSITIONS.values()]))


def by_frequency(split: Split, vocabulary: Vocabulary) -> pd.Categorical[str]:
    """Group tokens by their word's frequency in `train`; `</s>` and `<unk>` are separate groups."""
    of_word = np.empty(len(vocabulary.words), dtype=np.int64)
    ids = [vocabulary.words.index(word) for word in _SPECIAL]
    of_word[ids] = range(len(_SPECIAL))
    others = np.delete(np.arange(len(of_word)), ids)
    ranked = others[np.argsort(-vocabulary.counts[others], kind="stable")]
    band = np.searchsorted(np.cumsum([*_BANDS.values()]), np.arange(len(ranked)), side="right")
    of_word[ranked] = len(_SPECIAL) + band
    names = pd.Index([*_SPECIAL, *_BANDS, "the rest"])
    return pd.Categorical.from_codes(of_word[split.stream[1:]], names)


def perplexities(groups: pd.Categorical[str], piece: Ints, values: Floats) -> pd.DataFrame:
    """Exp of minus the mean of the values (tokens,) of each group's tokens; a row for each group.

    That is a perplexity if the values are log P, and a ratio of two if they are gains. `low` and
    `high` bound its 95 % bootstrap interval, which draws pieces of text that have tokens of the
    group, with replacement; `piece` (tokens,) is the number of each token's piece, from 0.
    """
    shape = (int(piece.max()) + 1, len(groups.categories))
    cells = np.ravel_multi_index((piece, groups.codes), shape)
    size = int(np.prod(shape))
    counts = np.bincount(cells, minlength=size).reshape(shape)
    sums = np.bincount(cells, values, minlength=size).reshape(shape)
    by_group = {}
    for number in np.flatnonzero(counts.any(axis=0)):
        has = counts[:, number] > 0
        gains = sums[has, number]
        tokens = counts[has, number]
        mean = gains.sum() / tokens.sum()
        interval = (mean, mean)  # a single piece says nothing about others
        if len(gains) > 1:
            interval = bootstrap_interval(gains, tokens, resamples=_RESAMPLES)
        low, high = interval
        by_group[number] = {"mean": np.exp(-mean), "low": np.exp(-high), "high": np.exp(-low)}
    return pd.DataFrame.from_dict(by_group, orient="index")
