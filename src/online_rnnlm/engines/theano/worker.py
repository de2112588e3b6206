"""The process in which Theano computes: it answers messages until the training ends.

It runs in Theano's environment, on Python 3.8 or 3.9, where only Theano and numpy are installed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

from online_rnnlm.engines.theano import messages
from online_rnnlm.engines.theano.as_pytensor import take_pytensors_place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from online_rnnlm.engines import symbolic

    Message = Mapping[str, Any]


def _training(request: Message, module: Any) -> dict[str, Callable[[Message], Message]]:
    """Compile a training; the functions that answer requests to it, by name."""
    training: symbolic.Training = module.Training(
        _form(request, module), request["class_offsets"], *messages.state_in(request)
    )

    def restore(message: Message) -> Message:
        training.set(*messages.state_in(message))
        return {}

    return {
        "update": lambda message: messages.numbered(training.update(messages.in_order(message))),
        "values": lambda _: messages.of_state(*training.values()),
        "restore": restore,
    }


def _scoring(request: Message, module: Any) -> dict[str, Callable[[Message], Message]]:
    """Compile a scoring; the function that answers requests to it, by name."""
    names = [str(name) for name in request["names"]]
    scoring: symbolic.Scoring = module.Scoring(
        _form(request, module), request["class_offsets"], names
    )
    return {"score": lambda message: messages.numbered(scoring.score(messages.in_order(message)))}


def _form(request: Message, module: Any) -> symbolic.Form:
    form: symbolic.Form = module.Form(**json.loads(str(request["form"])))
    return form


_MAKERS = {"training": _training, "scoring": _scoring}


def _answer(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Make what the first request asks for, and answer the requests to it."""
    first = messages.receive(requests)
    take_pytensors_place()
    module = import_module("online_rnnlm.engines.symbolic")
    functions = _MAKERS[str(first.pop("make"))](first, module)
    messages.send(answers, {})
    while True:
        request = messages.receive(requests)
        messages.send(answers, functions[str(request.pop("call"))](request))


def main() -> None:
    """Answer the requests on standard input until it ends."""
    # Signals are for the training: it ends this process when it no longer needs it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    # What Theano prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        _answer(sys.stdin.buffer, answers)
    except EOFError:
        return


if __name__ == "__main__":
    main()
