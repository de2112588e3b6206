"""The steps of `model.updates` for weights that are cut into tiles, in JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytensor.tensor as pt
from pytensor.graph import FunctionGraph
from pytensor.link.jax.dispatch import jax_funcify

from online_rnnlm.engines.blocks.arrangement import Arranged
from online_rnnlm.engines.blocks.tiles import Tiles
from online_rnnlm.model import graph
from online_rnnlm.model.parameters import Parameters, like
from online_rnnlm.model.updates import OPTIMIZERS


def rules_of(optimizer: str, dtype: str) -> dict[int, Callable[..., Any]]:
    """The optimiser's rule (`updates.OPTIMIZERS`) as functions of JAX, by the weights' dimensions.

    Each takes a weight, its gradient, its accumulator and the rate.
    """
    rules: dict[int, Callable[..., Any]] = {}
    for dimensions in (2, 3):
        symbols = [pt.tensor(dtype=dtype, shape=(None,) * dimensions) for _ in range(3)]
        rate = pt.scalar(dtype=dtype)
        weight, gradient, accumulator = symbols
        found = OPTIMIZERS[optimizer](weight, gradient, accumulator, rate)
        rules[dimensions] = jax_funcify(FunctionGraph([*symbols, rate], list(found), clone=True))
    return rules


def touched(model: graph.Model, tiles: Tiles, weights: Parameters, batch: Arranged) -> Parameters:
    """Mark with 1 what a batch's gradients reach, as `updates.touched` does."""
    dtype = weights.recurrent.dtype

    def reached(number: int, places: Any) -> Any:
        return jnp.zeros(number, dtype).at[places].max(batch.mask.astype(dtype))

    has_choice = jnp.asarray(np.diff(tiles.offsets) > 1, dtype)
    classes = reached(len(has_choice), batch.classes) * has_choice
    predicted = classes[tiles.class_of_tile][:, None, None]
    read = reached(len(weights.embeddings), batch.inputs)[:, None]
    marks: dict[str, Any] = dict.fromkeys(weights._fields, 1.0)
    marks.update(dict.fromkeys(model.cell.GROUPS["embeddings"], read))
    marks.update(word_output=predicted, word_document=predicted)
    return like(weights, (marks[name] for name in weights._fields))
