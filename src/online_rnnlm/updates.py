"""What may learn during testing: its parts, and the names of their subsets."""

from __future__ import annotations

from collections.abc import Collection

NONE, DOCUMENT_VECTOR, ALL = "none", "document_vector", "all"
PARTS = (DOCUMENT_VECTOR, "embeddings", "recurrent", "output")
"""In the order in which a subset's name has them; all but the first are groups of weights."""


def parts_of(document_size: int) -> tuple[str, ...]:
    """The parts that a model has: without a document vector, the weights only."""
    return PARTS if document_size else PARTS[1:]


def name_of(parts: Collection[str], document_size: int) -> str:
    """The name of a subset in a model: `all`, its parts joined by `+`, or `none`.

    What the model does not have is left out.
    """
    present = parts_of(document_size)
    kept = [part for part in present if part in parts or ALL in parts]
    if len(kept) == len(present):
        return ALL
    return "+".join(kept) or NONE


def parts_named(name: str, document_size: int) -> frozenset[str]:
    """The parts of the subset that `name_of` has named."""
    if name == ALL:
        return frozenset(parts_of(document_size))
    return frozenset() if name == NONE else frozenset(name.split("+"))


def changes_weights(name: str) -> bool:
    """Whether weights learn, and not the document vector only."""
    return name not in (NONE, DOCUMENT_VECTOR)
