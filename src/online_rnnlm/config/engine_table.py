"""The settings of the table of engines (`make engines`), and the names that it has for engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from online_rnnlm.config.base import Boolean, Distinct, PositiveInt, Settings, Size
from online_rnnlm.config.engines import ENGINES

_LINKED = {"pytensor-c": "graph", "pytensor-numba": "graph"}
"""The ways in which PyTensor compiles the plain graph: by C code, and by numba."""
ENGINE_OF = {**_LINKED, **{name: name for name in ENGINES if name not in _LINKED.values()}}
"""The engine of a run, by each name in the table."""

if TYPE_CHECKING:
    TableEngine = str
else:
    TableEngine = Literal[*ENGINE_OF]


class EngineTableSettings(Settings):
    """The engines to measure, and how; no part of a run's identity."""

    engines: Annotated[list[TableEngine], Field(min_length=1), Distinct] = Field(
        default=list(ENGINE_OF),
        description="Engines. `pytensor-c` and `pytensor-numba` are `engine: graph`, compiled by "
        "C code and by numba; the others have the names that `engine` in a row has. One that is "
        "not installed is named as such.",
    )
    precisions: Annotated[list[Literal["float32", "float64"]], Field(min_length=1), Distinct] = (
        Field(default=["float32", "float64"], description="Floating-point types.")
    )
    batch_sentences: Annotated[list[PositiveInt], Field(min_length=1), Distinct] = Field(
        default=[1, 32], description="Numbers of sentences per update."
    )
    document_sizes: Annotated[list[Size], Field(min_length=1), Distinct] = Field(
        default=[0, 20], description="Lengths of the document vector, D."
    )
    updates: PositiveInt = Field(
        default=50,
        description="Number of updates, in the text's order, after which the engines are compared.",
    )
    empty_caches: Boolean = Field(
        default=True,
        description="`true`: every engine compiles as on a new machine, into an empty folder. "
        "`false`: it may find what it has compiled before, and the seconds to compile are fewer.",
    )
