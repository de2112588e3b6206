"""Products of blocks of words with tiles of weights, and their gradients, in JAX.

    scores[i] = vectors[rows[i]] · tiles[i]ᵀ          (R, S), for every product i

A GPU computes all of them at once. A processor has them in its cache if it computes some at a time,
which XLA does not do by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

AT_A_TIME = 64
"""Products that a processor computes at once; their number is a multiple of it."""

Products = Callable[[Any, Any, Any, Any], Any]
"""Of vectors (N + 1, M), tiles (tiles, S, M), rows (I, R) and tile numbers (I,): (I, R, S)."""


def products_on(device: str) -> Products:
    """Return the function for a device, `cpu` or `gpu`."""

    def parts(*arrays: Any) -> tuple[Any, ...]:
        """Divide arrays (I, …) into (parts, products of a part, …)."""
        size = AT_A_TIME if device == "cpu" else len(arrays[0])
        return tuple(array.reshape(-1, size, *array.shape[1:]) for array in arrays)

    def products(vectors: Any, tiles: Any, rows: Any, numbers: Any) -> Any:
        def part(these: tuple[Any, Any]) -> Any:
            return jnp.einsum("irm,ism->irs", _taken(vectors, these[0]), _taken(tiles, these[1]))

        found = jax.lax.map(part, parts(rows, numbers))
        return found.reshape(-1, *found.shape[2:])

    def backward(given: tuple[Any, ...], deltas: Any) -> tuple[Any, ...]:
        vectors, tiles, rows, numbers = given

        def part(sums: tuple[Any, Any], these: tuple[Any, ...]) -> tuple[tuple[Any, Any], None]:
            of_vectors, of_tiles = sums
            these_rows, these_numbers, these_deltas = these
            to_rows = jnp.einsum("irs,ism->irm", these_deltas, _taken(tiles, these_numbers))
            to_tiles = jnp.einsum("irs,irm->ism", these_deltas, _taken(vectors, these_rows))
            of_vectors = of_vectors.at[these_rows].add(to_rows, mode="promise_in_bounds")
            of_tiles = of_tiles.at[these_numbers].add(to_tiles, mode="promise_in_bounds")
            return (of_vectors, of_tiles), None

        zeros = (jnp.zeros_like(vectors), jnp.zeros_like(tiles))
        found, _ = jax.lax.scan(part, zeros, parts(rows, numbers, deltas))
        return (*found, None, None)

    differentiable = jax.custom_vjp(products)
    differentiable.defvjp(lambda *given: (products(*given), given), backward)
    found: Products = differentiable
    return found


def _taken(values: Any, places: Any) -> Any:
    return values.at[places].get(mode="promise_in_bounds")
