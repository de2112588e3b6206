"""Theano 1.0.5 in PyTensor's place: its modules are imported by PyTensor's names.

This is imported in an environment of its own (`workflow/envs/theano.yml`): Python 3.8 or 3.9.
"""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import theano
import theano.gradient
import theano.tensor
from theano.tensor.shared_randomstreams import RandomStreams
from theano.tensor.var import _tensor_py_operators


def take_pytensors_place() -> None:
    """Make `import pytensor` load Theano, adapted where PyTensor has other names or forms."""
    special = SimpleNamespace(log_softmax=_log_softmax)
    random = SimpleNamespace(utils=SimpleNamespace(RandomStream=RandomStreams))
    changes = {"sigmoid": theano.tensor.nnet.sigmoid, "special": special, "random": random}
    tensor = _renamed(theano.tensor, "pytensor.tensor", **changes)
    _renamed(theano.gradient, "pytensor.gradient")
    _renamed(theano, "pytensor", tensor=tensor, scan=_scan, __version__=theano.__version__)
    _tensor_py_operators.__matmul__ = theano.tensor.dot


def _renamed(module: ModuleType, name: str, **changes: Any) -> ModuleType:
    """Register a module of that name with another module's content and some changes."""
    content = {key: value for key, value in vars(module).items() if not key.startswith("__")}
    sys.modules[name] = ModuleType(name)
    vars(sys.modules[name]).update({**content, **changes})
    return sys.modules[name]


def _log_softmax(scores: Any, axis: int) -> Any:
    assert axis == scores.ndim - 1 == 1
    return theano.tensor.nnet.logsoftmax(scores)


def _scan(function: Any, *, return_updates: bool, **arguments: Any) -> Any:
    outputs, updates = theano.scan(function, **arguments)
    assert not return_updates and not updates
    return outputs
