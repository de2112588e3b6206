"""The process of Theano, as a training or an evaluation drives it."""

from __future__ import annotations

import json
import subprocess
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.engines.theano import environment, messages
from online_rnnlm.errors import UserError
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.storage.syntax import PACKAGE

if TYPE_CHECKING:
    from online_rnnlm.engines.symbolic import Form


class Process:
    """A process that has compiled a function and answers calls of it.

    Theano must be there: see `devices.require`. Raises UserError if it cannot do what it is asked.
    """

    def __init__(self, precision: str, request: Mapping[str, Any]) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the process
        self._process = subprocess.Popen(
            [environment.python(), "-m", f"{PACKAGE}.engines.theano.worker"],
            env=environment.variables(precision),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        weakref.finalize(self, _end, self._process)
        self._exchange(request)

    def call(self, name: str, message: Mapping[str, Any]) -> dict[str, Any]:
        """Call one of its functions with a message; return the answer."""
        return self._exchange({**message, "call": name})

    def _exchange(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            messages.send(self._process.stdin, message)
            return messages.receive(self._process.stdout)
        except (EOFError, BrokenPipeError) as error:
            raise UserError(self._said()) from error

    def _said(self) -> str:
        """The end of the process in one line, with the last line that it wrote."""
        status = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else f"exit status {status}"
        return f"{environment.python()}: cannot compute by Theano: {said}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the process end, which it does when its standard input ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    process.wait()


def _request(kind: str, form: Form, class_offsets: NDArray[np.int64]) -> dict[str, Any]:
    return {"make": kind, "form": json.dumps(form._asdict()), "class_offsets": class_offsets}


class Training:
    """`symbolic.Training` by Theano."""

    def __init__(
        self,
        form: Form,
        class_offsets: NDArray[np.int64],
        weights: Parameters,
        accumulators: Parameters,
    ) -> None:
        request = _request("training", form, class_offsets) | messages.of_state(
            weights, accumulators
        )
        self._process = Process(form.precision, request)

    def update(self, inputs: Sequence[Any]) -> list[Any]:
        """Learn from a batch: see `symbolic.Training.update`."""
        return messages.in_order(self._process.call("update", messages.numbered(inputs)))

    def values(self) -> tuple[Parameters, Parameters]:
        """Copies of the weights and accumulators."""
        return messages.state_in(self._process.call("values", {}))

    def set(self, weights: Parameters, accumulators: Parameters) -> None:
        """Continue from copies of these."""
        self._process.call("restore", messages.of_state(weights, accumulators))


class Scoring:
    """`symbolic.Scoring` by Theano."""

    def __init__(self, form: Form, class_offsets: NDArray[np.int64], names: Sequence[str]) -> None:
        request = _request("scoring", form, class_offsets) | {"names": np.array(names)}
        self._process = Process(form.precision, request)

    def score(self, inputs: Sequence[Any]) -> list[Any]:
        """Score a batch: see `symbolic.Scoring.score`."""
        return messages.in_order(self._process.call("score", messages.numbered(inputs)))
