"""Threads that compute a batch together: they share its work and wait for each other.

All members of a team call the same kernel with the same arguments, except for their number and for
memory of their own (`workspace.for_members`). Work is divided in parts that do not depend on the
number of members, each computed by one of them, and no sum runs over several parts. So the bits of
all results are the same for every number of threads.

A member takes sections of a batch by its number, since each goes on with what it has computed of
them. Classes of words and parts of matrices are tasks: whoever is free takes the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any, NamedTuple, TypeVar

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from online_rnnlm.core.engines.kernels.compiled import kernel

_Result = TypeVar("_Result")
ARRIVED, FAILED, SCORES, OUTPUTS, INPUTS = range(5)
"""The counters of a team: of members that have arrived where all wait, of members that have failed,
and of the tasks taken of each kind."""
_COUNTERS = 5
_APART = 8
"""Counters are this many numbers apart, 64 bytes, so that no two share a line of cache."""
_PATIENCE = 2000
"""Number of times that a member looks for the others before it lends its core to other threads."""


class Member(NamedTuple):
    """One thread of a team."""

    number: int
    """Its number, from 0."""
    size: int
    """The number of members."""
    counters: NDArray[np.int64]
    """(5, 8): the counters, each in the first column."""


def members(size: int) -> tuple[Member, ...]:
    """The members of a new team of that size."""
    counters = np.zeros((_COUNTERS, _APART), np.int64)
    return tuple(Member(number, size, counters) for number in range(size))


@intrinsic
def _add(typing_context, counters, place, value):
    """Add to a counter, and return what it was before; no other thread sees it in between."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature, arguments)
        return builder.atomic_rmw("add", address, arguments[2], "seq_cst")

    return types.int64(counters, types.intp, types.int64), generate


@intrinsic
def _read(typing_context, counters, place):
    """Return a counter as it is now, with all that was written before it was changed."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature, arguments)
        return builder.load_atomic(address, "seq_cst", 8)

    return types.int64(counters, types.intp), generate


def _address(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """The address of a counter: of an array (C, 8), and the counter's number."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    place = builder.mul(arguments[1], ir.Constant(arguments[1].type, _APART))
    return builder.gep(array.data, [place])


@intrinsic
def _lend_core(typing_context):
    """Let another thread of the machine have this one's core, if one waits: `sched_yield`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.IntType(32), []), "sched_yield"
        )
        return builder.call(function, [])

    return types.int32(), generate


@kernel()
def wait(member):
    """Wait until all members have come here; what each has written, all others see then.

    Raises RuntimeError if another member has failed.
    """
    if member.size == 1:
        return
    counters = member.counters
    arrived = _add(counters, ARRIVED, 1)
    complete = (arrived // member.size + 1) * member.size
    looked = 0
    while _read(counters, ARRIVED) < complete:
        if _read(counters, FAILED) > 0:
            raise RuntimeError("another thread of the kernel has failed")
        looked += 1
        if looked > _PATIENCE:
            _lend_core()


@kernel()
def give_up(member):
    """Tell the other members that this one has failed and will not come."""
    _add(member.counters, FAILED, 1)


@kernel()
def start_tasks(member):
    """Begin all kinds of tasks from their first one; one member does it while all others wait."""
    for kind in (SCORES, OUTPUTS, INPUTS):
        _add(member.counters, kind, -_read(member.counters, kind))


@kernel()
def next_task(member, kind):
    """The number of the next task of that kind, counted from 0; no other member gets the same."""
    return _add(member.counters, kind, 1)


class Team:
    """A number of threads, each of which calls a kernel as a member of the team.

    The kernels release Python's lock. Nothing but the time depends on the number of threads.
    """

    def __init__(self, size: int = 1) -> None:
        self.size = size
        self._members = members(size)
        self._others = ThreadPoolExecutor(size - 1) if size > 1 else None
        self._errors: list[BaseException] = []

    def run(self, call: Callable[[Member], _Result]) -> _Result:
        """Let every member make this call at the same time; return what the first one gets.

        If a member fails, the first error is raised, and the team cannot be used any more. Several
        threads may call at the same time if the team's size is 1.
        """
        if self._others is None:
            return call(*members(1))  # of this call alone: other threads may call, too
        first, *others = self._members
        running = [self._others.submit(self._complete, call, member) for member in others]
        try:
            return self._complete(call, first)
        finally:
            wait_for(running)
            if self._errors:  # the first one; the others may only say that a member has failed
                raise self._errors[0]

    def _complete(self, call: Callable[[Member], _Result], member: Member) -> _Result:
        """Make a member's call; if it fails, the others stop waiting for it."""
        try:
            return call(member)
        except BaseException as error:
            self._errors.append(error)  # before any other member can fail because of it
            give_up(member)
            raise
