"""Updates and scores by the plain graph, computed by the library that `import pytensor` loads.

Theano runs this file, too, in an environment that otherwise has only numpy: so the file keeps to
Python 3.8.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor

from online_rnnlm.model import graph, updates
from online_rnnlm.model.cells import load_cell
from online_rnnlm.model.parameters import Parameters, like, under

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DTYPE = "float64"


def replay(problem: Mapping[str, Any]) -> dict[str, Any]:
    """Train on the problem's sentences, one batch per update, then score others; all in float64.

    Problem: `settings` and their `cell_name` (JSON), `class_offsets` (K + 1,), `weights.<name>`,
    `accumulators.<name>`, and `stream` and `offsets` of `train` and `valid`. Result: `engine` (a
    text); `training` (updates,), each batch's log P; the weights after training;
    `log_probabilities` (tokens,) and `document_vectors` (S, D) of the valid sentences, while the
    vector learns.
    """
    settings = json.loads(str(problem["settings"]))
    weights, accumulators = (_shared(problem, kind) for kind in ("weights", "accumulators"))
    classes = graph.WordClasses.from_offsets(problem["class_offsets"])
    constants = settings["error_clip"], settings["context_decay"]
    model = graph.Model(load_cell(settings["cell_name"]), classes, *constants)
    batch = graph.padded_symbols(DTYPE)
    rates = [np.asarray(settings[f"{kind}_rate"], DTYPE) for kind in ("learning", "document")]
    rules = {name: settings[name] for name in ("optimizer", "l2")}
    result, changes = updates.training_updates(model, weights, accumulators, batch, *rates, **rules)
    update = pytensor.function(list(batch), result.log_probabilities.sum(), updates=changes)
    size = settings["batch_sentences"]
    training = [float(update(*sentences)) for sentences in _batches(problem, "train", size)]
    scores = graph.predictions(model, weights, batch, rates[1])
    score = pytensor.function(list(batch), [scores.log_probabilities, scores.document_vectors])
    [sentences] = _batches(problem, "valid", len(problem["valid.offsets"]))
    log_probabilities, documents = score(*sentences)
    learnt = {f"weights.{name}": w.get_value() for name, w in weights._asdict().items()}
    return {
        "engine": _engine(),
        "training": np.array(training),
        "log_probabilities": log_probabilities.T[sentences.mask.T > 0],
        "document_vectors": documents[-1],
        **learnt,
    }


def _shared(problem: Mapping[str, Any], kind: str) -> Parameters:
    arrays = under(f"{kind}.", problem)
    return like(arrays, (pytensor.shared(array.astype(DTYPE)) for array in arrays))


def _batches(problem: Mapping[str, Any], split: str, size: int) -> Iterator[graph.Padded]:
    """Yield the split's sentences in their order, in batches of that size."""
    stream, offsets = problem[f"{split}.stream"], problem[f"{split}.offsets"]
    for begin in range(0, len(offsets) - 1, size):
        numbers = np.arange(begin, min(begin + size, len(offsets) - 1))
        yield graph.pad(stream, offsets, numbers, DTYPE)


def _engine() -> str:
    return f"{pytensor.__version__}, Python {platform.python_version()}, numpy {np.__version__}"


def main() -> None:
    """Read a problem from one `.npz` file and write the result into another."""
    problem, result = map(Path, sys.argv[1:])
    with np.load(problem) as arrays:
        np.savez(result, **replay(arrays))


if __name__ == "__main__":
    main()
