"""One measurement of the table of engines: a network's updates by an engine, and their record."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version

from online_rnnlm.config.engine_table import EngineTableSettings
from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.measurements import PlannedMeasurement
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, load_corpus
from online_rnnlm.cross_check.compilers import compiling, why_not, why_uncompiled
from online_rnnlm.cross_check.reference import differences, read_reference, write_reference
from online_rnnlm.cross_check.updates import Pace, Values, compute
from online_rnnlm.engines.theano import environment
from online_rnnlm.process.hardware import machine
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import EngineMeasurement, Measured

ALLOWED = 1e-10
"""The largest difference that rounding explains: each update adds some, and AdaGrad divides."""
STAND_IN = "pytensor-numba"
"""The engine that computes the reference where there is no C++ compiler."""


def write_measurement(
    planned: PlannedMeasurement, table: EngineTableSettings, directory: ExperimentDirectory
) -> None:
    """Measure an engine and write the record; if it is a reference, write its values first.

    An engine that is not installed, or that lacks the network, has a record that says so. Raises
    UserError if numbers are not finite, or if the reference cannot be computed at all.
    """
    corpus = load_corpus(directory.corpus(planned.network.corpus))
    lacking = why_not(planned)
    reference = directory.measurement(planned.reference.name, "npz")
    if planned == planned.reference:
        by = planned._replace(engine=STAND_IN) if lacking else planned
        values, pace = _computed(by, table, corpus)
        write_reference(reference, by.engine, values)
    elif not lacking:
        values, pace = _computed(planned, table, corpus)
    engine, expected = read_reference(reference)
    measured = None if lacking else _measured(values, pace, expected)
    why = lacking or why_uncompiled(planned.engine)
    record = EngineMeasurement(
        engine=planned.engine,
        precision=planned.precision,
        network=planned.network,
        corpus_digest=corpus.digest,
        updates=table.updates,
        words=pace.words if measured else 0,
        reference=engine,
        compiled=why is None,
        why_not=why,
        measured=measured,
        allowed=ALLOWED,
        empty_caches=table.empty_caches,
        packages={} if lacking else _packages(planned.settings),
        machine=machine(),
        ended=datetime.now(UTC),
    )
    records.write(directory.measurement(planned.name), record)


def _computed(
    planned: PlannedMeasurement, table: EngineTableSettings, corpus: Corpus
) -> tuple[Values, Pace]:
    with compiling(planned.engine, empty=table.empty_caches):
        return compute(planned.settings, corpus, table.updates)


def _measured(values: Values, pace: Pace, expected: Values) -> Measured:
    return Measured(
        differences=differences(values, expected),
        words_per_second=pace.words_per_second,
        compile_seconds=pace.compile_seconds,
    )


def _packages(settings: RunSettings) -> dict[str, str]:
    """The versions of the packages that compute by an engine, by their names."""
    engine = ENGINES[settings.engine]
    if engine.is_elsewhere:
        return {"theano": environment.version()}
    return {name: version(name) for name in ("numpy", "numba", "pytensor", *engine.packages)}
