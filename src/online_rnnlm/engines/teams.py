"""Threads that run the kernels together."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from online_rnnlm.engines.kernels.team import Member, give_up, members

_Result = TypeVar("_Result")


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

        If a member fails, the first error is raised, and the team cannot be used any more.
        """
        if self._others is None:
            return call(self._members[0])
        running = [self._others.submit(self._complete, call, m) for m in self._members[1:]]
        try:
            return self._complete(call, self._members[0])
        finally:
            wait(running)
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
