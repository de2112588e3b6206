"""The process in which Theano computes: it calls a function until the training ends.

It runs in Theano's environment (`workflow/envs/theano.yml`), on Python 3.8 or 3.9, where only
Theano and numpy are installed. Requests and answers are arrays, never pickled objects.
"""

from __future__ import annotations

import io
import json
import signal
import sys
from multiprocessing.connection import Connection
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def send(connection: Connection, *values: Any) -> None:
    """Send numbers, texts and arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, *values)
    connection.send_bytes(buffer.getbuffer())


def receive(connection: Connection) -> list[NDArray[Any]]:
    """Receive the values of `send` as arrays; raises EOFError if the other side has ended."""
    with np.load(io.BytesIO(connection.recv_bytes()), allow_pickle=False) as arrays:
        return [arrays[f"arr_{index}"] for index in range(len(arrays))]


def take_pytensors_place() -> None:
    """Make `import pytensor` load Theano, adapted where PyTensor has other names or forms."""
    import theano.gradient  # noqa: PLC0415
    import theano.tensor  # noqa: PLC0415
    from theano.tensor.var import _tensor_py_operators  # noqa: PLC0415

    def log_softmax(scores: Any, axis: int) -> Any:
        assert axis == scores.ndim - 1 == 1
        return theano.tensor.nnet.logsoftmax(scores)

    def scan(function: Any, *, return_updates: bool, **arguments: Any) -> Any:
        outputs, updates = theano.scan(function, **arguments)
        assert not return_updates and not updates
        return outputs

    special = SimpleNamespace(log_softmax=log_softmax)
    sigmoid = theano.tensor.nnet.sigmoid
    tensor = _renamed(theano.tensor, "pytensor.tensor", sigmoid=sigmoid, special=special)
    _renamed(theano.gradient, "pytensor.gradient")
    _renamed(theano, "pytensor", tensor=tensor, scan=scan)
    _tensor_py_operators.__matmul__ = theano.tensor.dot


def _renamed(module: ModuleType, name: str, **changes: Any) -> ModuleType:
    """Register a module of that name with another module's content and some changes."""
    content = {key: value for key, value in vars(module).items() if not key.startswith("__")}
    sys.modules[name] = ModuleType(name)
    vars(sys.modules[name]).update({**content, **changes})
    return sys.modules[name]


def _answer(connection: Connection) -> None:
    """Compile the function that the first request describes, and call it for all that follow."""
    kind, settings, class_offsets = receive(connection)
    take_pytensors_place()
    from online_rnnlm.core.engines import symbolic  # noqa: PLC0415  # imports Theano as PyTensor
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule  # noqa: PLC0415

    kinds = NetworkSettings, TrainingRule
    given = [kind(**values) for kind, values in zip(kinds, json.loads(str(settings)))]
    function = getattr(symbolic, str(kind))(*given, class_offsets)
    send(connection)
    while True:
        send(connection, *function(*receive(connection)))


def main() -> None:
    """Answer requests at the connection whose file descriptor is the argument, until it ends."""
    # Signals are for the training: it ends this process when it no longer needs it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        _answer(Connection(int(sys.argv[1])))
    except EOFError:
        return


if __name__ == "__main__":
    main()
