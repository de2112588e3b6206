"""Tests of JAX beside those in `test_engines`: its batches, and texts that no training reads."""

import numpy as np
import pytest

from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.engines import registry
from online_rnnlm.core.engines.jax_batches import ROWS, TILE, Shapes, Tiles, batch_of
from online_rnnlm.core.lanes import NOTHING
from tests.unit import small_models as small

UNEVEN = (1, 4, 1, 9, 2, 7)
LARGE = (1, 40, 2, 90)
"""Classes of one tile, and of several."""
LENGTHS = (11, 1, 12, 11, 3, 12, 2, 12, 3, 11, 1, 12, 12, 2, 11)
RATE = 0.3
CHANCE = np.random.default_rng


def corpus_for(class_sizes=LARGE, lengths=LENGTHS):
    return small.corpus_of(class_sizes, small.random_split(CHANCE(7), sum(class_sizes), lengths))


@pytest.mark.parametrize(
    "class_sizes", [LARGE, UNEVEN, (TILE,), (12,), (1,) * 5, (3, 2 * TILE + 1)]
)
@pytest.mark.parametrize("width", [1, 7, 60])
@pytest.mark.parametrize("learns", [True, False])
def test_a_batch_has_every_word_with_all_words_of_its_class(class_sizes, width, learns):
    """Scores are made of random numbers, so a sum names the words that it is made of."""
    corpus = corpus_for(class_sizes)
    stream, offsets = corpus.splits["train"].stream, corpus.splits["train"].offsets
    tiles = Tiles(corpus.class_offsets)
    shapes = Shapes(stream, offsets, tiles, width, learns=learns)
    segments = CHANCE(1).integers(0, len(LENGTHS), width)
    segments[1::3] = NOTHING
    batch = batch_of(stream, offsets, segments, shapes, "float64")
    mask = batch.padded.mask > 0
    number, vocabulary = CHANCE(2).random(mask.size + 1), CHANCE(3).random(sum(class_sizes))
    words = tiles.starts[batch.tiles][:, None] + np.arange(tiles.size)
    scores = number[batch.rows][:, :, None] * vocabulary[words][:, None]
    there = np.where(tiles.exists[batch.tiles][:, None], scores, 0)
    of_place = np.bincount(batch.rows.reshape(-1), there.sum(2).reshape(-1))
    pairs, of_pairs = np.append(batch.rows, mask.size)[batch.pairs], there.reshape(-1, tiles.size)
    for lane, segment in enumerate(segments):
        expected = [] if segment == NOTHING else small.words_of(corpus.splits["train"], segment)
        assert batch.padded.targets[mask[:, lane], lane].tolist() == expected
        begin = offsets[segment]
        inputs = stream[begin : begin + len(expected)]
        np.testing.assert_array_equal(batch.padded.inputs[mask[:, lane], lane], inputs)
        assert not mask[len(expected) :, lane].any()
        for time, word in enumerate(expected):
            place = time * width + lane
            of_class = slice(*tiles.class_offsets[tiles.class_of_word[word] :][:2])
            whole = number[place] * vocabulary[of_class].sum()
            assert of_place[place] == pytest.approx(whole)
            target = number[place] * vocabulary[word]
            assert scores.reshape(-1)[batch.targets[time, lane]] == target
            if learns:
                own = batch.pairs[time][pairs[time] == place]
                assert of_pairs[own].sum() == pytest.approx(whole)
                pair, column = divmod(batch.pair_targets[time, lane], tiles.size)
                assert of_pairs[batch.pairs[time, pair], column] == target
    assert (batch.rows < mask.size).sum(1).max() <= ROWS
    assert batch.pairs.size > 0 or not learns


def test_batches_have_few_shapes_which_they_nearly_fill():
    lengths = [1, *range(2, 61), *CHANCE(3).integers(1, 61, 300)]
    corpus = corpus_for(LARGE, lengths)
    stream, offsets = corpus.splits["train"].stream, corpus.splits["train"].offsets
    for width, most in ((1, 8), (4, 6), (32, 3)):
        shapes = Shapes(stream, offsets, Tiles(corpus.class_offsets), width, learns=True)
        drawn = (CHANCE(k).integers(0, len(lengths), width) for k in range(100))
        batches = [batch_of(stream, offsets, segments, shapes, "float32") for segments in drawn]
        arrays = ((batch.padded.mask, batch.rows, batch.pairs) for batch in batches)
        assert len({tuple(array.shape for array in found) for found in arrays}) <= most
        used = [(batch.rows < batch.padded.mask.size).any(1).mean() for batch in batches]
        assert np.mean(used) > 0.6 if width == 32 else np.mean(used) > 0.3
        # A longer text than the corpus has takes a shape of its own length.
        assert shapes.fitting(100, 1, 0).length == 100


@pytest.mark.slow  # JAX compiles
def test_no_text_a_longer_one_and_a_frozen_vector_are_scored():
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    corpus = corpus_for()
    own = {"hidden_size": 6, "document_size": 3, "precision": "float64", "batch_sentences": 4}
    every = [RunSettings(corpus="small", engine=engine, **own) for engine in ("jax", "kernel")]
    scorers = [registry.scorer(settings, corpus) for settings in every]
    weights = small.weights_for(every[0], corpus)
    longer = small.split_of([[3, 14, 3, 23, 7] * 5 + [0]])
    for sentences, rate in ((np.arange(1), RATE), (np.arange(0), RATE), (np.arange(1), 0.0)):
        found = [score(weights, longer, sentences, rate) for score in scorers]
        for array, expected in zip(*found, strict=True):
            np.testing.assert_allclose(array, expected, rtol=1e-10, atol=1e-10)
