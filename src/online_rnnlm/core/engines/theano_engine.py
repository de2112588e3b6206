"""Training and scoring by the plain graph as the original Theano 1.0.5 compiles it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import weakref
from dataclasses import asdict
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from online_rnnlm.core.engines import THEANO_PYTHON, graph_engine, theano_worker
from online_rnnlm.core.engines.base import CannotCompute
from online_rnnlm.core.engines.theano_worker import receive, send

if TYPE_CHECKING:
    from online_rnnlm.core.arrays import Array, Integers
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule


class Process:
    """A function of `symbolic`, which a process of Theano compiles and calls.

    The Python with Theano is named by the variable `THEANO_PYTHON`. Raises CannotCompute if it
    cannot do what it is asked.
    """

    def __init__(
        self,
        kind: str,
        network: NetworkSettings,
        rule: TrainingRule | None,
        class_offsets: Integers,
    ) -> None:
        """Compile the function of that kind: `training`, which needs a rule, or `scoring`."""
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the process
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [os.environ[THEANO_PYTHON], "-m", theano_worker.__name__, str(theirs.fileno())],
                env=_variables(network.precision),
                stdout=self._errors,
                stderr=self._errors,
                pass_fds=[theirs.fileno()],
            )
        weakref.finalize(self, _end, self._process, self._connection)
        settings = [asdict(one) for one in (network, rule) if one is not None]
        self(kind, json.dumps(settings), class_offsets)

    def __call__(self, *values: Any) -> list[Array]:
        """Call the function; return its outputs."""
        try:
            send(self._connection, *values)
            return receive(self._connection)
        except (EOFError, ConnectionError) as error:
            raise CannotCompute(self._said()) from error

    def _said(self) -> str:
        """The end of the process in one line, with the last line that it wrote."""
        status = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else f"exit status {status}"
        return f"{os.environ[THEANO_PYTHON]}: cannot compute by Theano: {said}"


def _variables(precision: str) -> dict[str, str]:
    """Environment variables with this package's source, and Theano's flags for a precision.

    Flags that the user has set in THEANO_FLAGS stay, but for these. The two optimisations that are
    left out fail on the empty matrices of a layer without a document vector.
    """
    ours = f"optimizer_excluding=scan_pushout_dot1:scanOp_pushout_output,floatX={precision}"
    return os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "THEANO_FLAGS": ",".join(filter(None, [os.environ.get("THEANO_FLAGS", ""), ours])),
    }


def _end(process: subprocess.Popen[bytes], connection: Connection) -> None:
    """Close the connection, at which the process ends, and wait until it has ended."""
    connection.close()
    process.wait()


class Engine(graph_engine.Engine):
    """A network by the functions of `symbolic`, each in a process of Theano."""

    @staticmethod
    def training(network: NetworkSettings, rule: TrainingRule, offsets: Integers) -> Process:
        """Compile the function that trains."""
        return Process("training", network, rule, offsets)

    @staticmethod
    def scoring(network: NetworkSettings, offsets: Integers) -> Process:
        """Compile the function that scores."""
        return Process("scoring", network, None, offsets)
