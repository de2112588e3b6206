"""A prediction of the training speed of `engine: jax` on a GPU: `--only gpu_model`.

Nothing is measured. XLA compiles an update for this machine's CPU; its program says which kernels
there are, how often each one runs, what it computes and how much memory it reads and writes. For a
GPU it would put other operations together, so this is an estimate.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks.context import ONLINE, STATIC, Context, new_trainer
from benchmarks.rows import missing, row
from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.devices import require
from online_rnnlm.errors import UserError

HIDDEN_SIZES = (100, 400, 1000)
BATCHES = (256, 1024, 4096)


class Gpu(NamedTuple):
    """A GPU, by its maker's data sheet; the time of a launch is assumed."""

    name: str
    flops: float
    """Operations in float32 a second, without tensor cores, which round more."""
    bandwidth: float
    """Bytes a second from and to its memory."""
    launch: float
    """Seconds from one kernel's start to the next one's, at least."""


H100 = Gpu("NVIDIA H100 (SXM)", 67e12, 3.35e12, 3e-6)


class Kernel(NamedTuple):
    """A kernel of a compiled program: an instruction that computes."""

    runs: int
    flops: float
    """Of one run: those of products, and one for each other value that is made."""
    bytes: float
    """Of one run: what it reads and writes."""

    def seconds(self, gpu: Gpu) -> dict[str, float]:
        """The time of all its runs, by what would bound it."""
        bounds = {
            "arithmetic": self.flops / gpu.flops,
            "memory": self.bytes / gpu.bandwidth,
            "launches": gpu.launch,
        }
        return {name: self.runs * seconds for name, seconds in bounds.items()}


def gpu_model(context: Context) -> dict[str, Any]:
    """Predict training for each size of the hidden layer and of the batch, in words a second."""
    try:
        require(context.settings(STATIC, engine="jax"))
    except UserError as error:
        return {"rows": [missing("predicted: training on a GPU", str(error))]}
    sizes = HIDDEN_SIZES[:1] if context.options.quick else HIDDEN_SIZES
    batches = BATCHES[:1] if context.options.quick else BATCHES
    cases = itertools.product((STATIC, ONLINE), sizes, batches)
    return {"device": f"predicted for an {H100.name}", "rows": [_row(context, *c) for c in cases]}


def _row(context: Context, document_size: int, hidden_size: int, batch: int) -> dict[str, Any]:
    changes = {"hidden_size": hidden_size, "batch_sentences": batch, "engine": "jax"}
    settings = context.settings(document_size, **changes)
    program, words = _compiled(context, settings)
    kernels = list(kernels_of(program))
    spent: Counter[str] = Counter()
    for kernel in kernels:
        bound, seconds = max(kernel.seconds(H100).items(), key=lambda one: one[1])
        spent[bound] += seconds
    title = f"predicted: training D = {document_size}, M = {hidden_size}, batches of {batch}"
    total = sum(spent.values())
    return row(
        title,
        "words/s",
        [words / total],
        words=words,
        kernels=sum(kernel.runs for kernel in kernels),
        flops=sum(kernel.runs * kernel.flops for kernel in kernels),
        bytes=sum(kernel.runs * kernel.bytes for kernel in kernels),
        shares={name: seconds / total for name, seconds in spent.items()},
    )


def _compiled(context: Context, settings: RunSettings) -> tuple[str, int]:
    """Compile the update of a batch of random sentences; return its program and its words."""
    corpus = context.main.corpus
    trainer: Any = new_trainer(settings, corpus)
    sentences = context.sample(corpus, settings.batch_sentences)
    lowered = trainer.lowered(sentences)
    lengths = corpus.splits["train"].offsets
    words = int((lengths[sentences + 1] - lengths[sentences]).sum())
    return lowered.compile().as_text(), words


_COMPUTATION = re.compile(r"^(?P<entry>ENTRY )?%?(?P<name>[\w.-]+) \(.*\) -> .* \{$")
_INSTRUCTION = re.compile(
    r"^\s+(?P<root>ROOT )?%(?P<name>[\w.-]+) = (?P<type>\(.*?\)|\S+) (?P<code>[\w-]+)"
    r"\((?P<operands>.*?)\)(?P<rest>.*)$"
)
_ARRAY = re.compile(r"\b[a-z]\w*?(?P<bits>\d+)?\[(?P<shape>[\d,]*)\]")
_CALLED = re.compile(r"(?:calls|to_apply|body)=%([\w.-]+)")
_TRIPS = re.compile(r'"known_trip_count":(\{[^}]*\})')
_CONTRACTED = re.compile(r"lhs_contracting_dims=\{([\d,]*)\}")
_FREE = frozenset(
    {"parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all", "partition-id"}
)
"""Kinds of instructions that only name or arrange values, so a GPU runs nothing for them."""
_SLICES = frozenset({"dynamic-slice", "slice", "gather"})
"""Kinds of instructions that read only a part of their first operand."""


class _Instruction(NamedTuple):
    name: str
    type: str
    code: str
    operands: list[str]
    rest: str
    root: bool


def kernels_of(program: str) -> Iterator[Kernel]:
    """Yield the kernels of a compiled program, XLA's own text of it.

    Loops whose number of runs is not known to the compiler count once.
    """
    computations, entry = _read(program)
    yield from _kernels(computations, entry, 1)


def _read(program: str) -> tuple[dict[str, dict[str, _Instruction]], str]:
    """Read the computations by name, and the name of the first one."""
    computations: dict[str, dict[str, _Instruction]] = {}
    entry, current = "", {}
    for line in program.splitlines():
        opened, found = _COMPUTATION.match(line), _INSTRUCTION.match(line)
        if opened is not None:
            current = computations.setdefault(opened["name"], {})
            entry = opened["name"] if opened["entry"] else entry
        elif found is not None:
            operands = re.findall(r"%([\w.-]+)", found["operands"])
            current[found["name"]] = _Instruction(
                found["name"], found["type"], found["code"], operands, found["rest"],
                found["root"] is not None,
            )  # fmt: skip
    return computations, entry


def _kernels(
    computations: dict[str, dict[str, _Instruction]], name: str, runs: int
) -> Iterator[Kernel]:
    instructions = computations[name]
    for one in instructions.values():
        called = _CALLED.search(one.rest)
        if one.code == "while" and called is not None:
            trips = _TRIPS.search(one.rest)
            times = int(json.loads(trips[1])["n"]) if trips else 1
            yield from _kernels(computations, called[1], runs * times)
        elif one.code == "call" and called is not None:
            yield from _kernels(computations, called[1], runs)
        elif one.code not in _FREE and _elements(one.type) > 1:  # else a loop's counter
            inside = computations[called[1]] if one.code == "fusion" and called else None
            yield Kernel(runs, _flops(one, instructions, inside), _moved(one, instructions, inside))


def _flops(
    one: _Instruction,
    around: dict[str, _Instruction],
    inside: dict[str, _Instruction] | None,
) -> float:
    """The operations of an instruction; those of all that is inside of it if it is fused."""
    if inside is not None:
        return sum(_flops(each, inside, None) for each in inside.values() if each.code not in _FREE)
    elements = _elements(one.type)
    contracted = _CONTRACTED.search(one.rest)
    if one.code == "dot" and contracted is not None:
        shape = _arrays(around[one.operands[0]].type)[0].shape
        axes = [int(axis) for axis in contracted[1].split(",") if axis]
        return 2 * elements * math.prod(shape[axis] for axis in axes)
    return elements


def _moved(
    one: _Instruction,
    around: dict[str, _Instruction],
    inside: dict[str, _Instruction] | None,
) -> float:
    """The bytes that a kernel reads and writes; of what it slices or updates, the slice alone."""
    if inside is None:
        read = [_bytes(around[name].type) for name in one.operands if name in around]
        if one.code in _SLICES:
            read[:1] = [_bytes(one.type)]
        if one.code == "dynamic-update-slice":
            return 2 * read[1]
        return sum(read) + _bytes(one.type)
    [root] = [each for each in inside.values() if each.root]
    parameters = [each for each in inside.values() if each.code == "parameter"]
    written = _bytes(one.type)
    if root.code == "dynamic-update-slice":
        written = _bytes(inside[root.operands[1]].type)
    return written + sum(_read_of(each, inside) for each in parameters)


def _read_of(parameter: _Instruction, inside: dict[str, _Instruction]) -> float:
    """The bytes that a fused kernel reads of one of its operands."""
    users = [each for each in inside.values() if parameter.name in each.operands]
    whole, slices = _bytes(parameter.type), 0.0
    for user in users:
        first = user.operands[0] == parameter.name
        if first and user.code in _SLICES:
            slices += _bytes(user.type)
        elif not (first and user.code == "dynamic-update-slice"):
            return whole
    return min(whole, slices)


class _Array(NamedTuple):
    shape: list[int]
    bits: int

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


def _arrays(kind: str) -> list[_Array]:
    """The arrays of a type in XLA's text, such as `f32[4,8]{1,0}` or a tuple of such types."""
    return [
        _Array([int(size) for size in one["shape"].split(",") if size], int(one["bits"] or 8))
        for one in _ARRAY.finditer(kind)
    ]


def _elements(kind: str) -> int:
    return sum(array.elements for array in _arrays(kind))


def _bytes(kind: str) -> float:
    return sum(array.elements * array.bits / 8 for array in _arrays(kind))
