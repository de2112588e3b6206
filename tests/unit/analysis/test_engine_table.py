"""Tests of the table of engines: its rows, its notes, and its place in the report."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from online_rnnlm.analysis.claims.write import write_claims
from online_rnnlm.analysis.figures.write import write_figures
from online_rnnlm.analysis.report.write import write_report
from online_rnnlm.analysis.tables.engines import make, write_engine_table
from online_rnnlm.config import loading
from online_rnnlm.config.measurements import measurements_of, references_of
from online_rnnlm.errors import UserError
from online_rnnlm.pipeline import inputs
from online_rnnlm.pipeline.jobs import Jobs
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import (
    Differences,
    EngineMeasurement,
    Machine,
    Measured,
    Statistics,
)

PROJECT = Path(__file__).parents[3]
TABLE = {"engines": ["pytensor-c", "kernel", "theano"], "batch_sentences": [32]}
ROWS = [{"hidden_size": 100}, {"hidden_size": 100, "document_size": 20}]


def _measured(difference):
    return Measured(
        differences=Differences(
            loss=difference,
            parameters={"embeddings": difference, "word_output": 2 * difference},
            log_probabilities=difference / 2,
            document_vectors=None,
        ),
        words_per_second=12345.6,
        compile_seconds=7.89,
    )


def _write(results, planned, why_not=None, **changes):
    """Write an invented measurement."""
    corpus = results.directory.corpus(planned.network.corpus).statistics
    is_reference = planned == planned.reference
    difference = 0.0 if is_reference else 3e-15 if planned.precision == "float64" else 3e-6
    record = EngineMeasurement(
        engine=planned.engine,
        precision=planned.precision,
        network=planned.network,
        corpus_digest=records.read(Statistics, corpus).digest,
        updates=50,
        words=1000,
        reference="pytensor-c",
        compiled=why_not is None,
        why_not=why_not,
        measured=None if why_not else _measured(difference),
        allowed=1e-10,
        empty_caches=True,
        packages={"pytensor": "3"},
        machine=Machine(processor="Some processor", cores=2, system="Linux"),
        ended=datetime(2026, 1, 2, tzinfo=UTC),
    )
    changed = record.model_copy(update=changes)
    records.write(results.directory.measurement(planned.name), changed)


@pytest.fixture
def results(invented):
    """Results whose engines have been measured; Theano is not installed."""
    found = invented(rows=ROWS, engine_table=TABLE)
    for planned in measurements_of(found.experiment):
        _write(found, planned, "no Theano: `make theano`" if planned.engine == "theano" else None)
    return found


def test_a_row_for_each_engine_precision_and_size(results):
    table = make(results)
    assert table.headings[:4] == ["Engine", "Precision", "B", "D"]
    rows = [row[:4] for row in table.cells()]
    assert rows == [
        [engine, precision, "32", size]
        for engine in TABLE["engines"]
        for precision in ("float32", "float64")
        for size in ("0", "20")
    ]
    shown = {tuple(row[:4]): row[4:] for row in table.cells()}
    of_kernel = ["yes", "3.0e-15", "6.0e-15", "word_output", "12,346", "7.9"]
    assert shown["kernel", "float64", "32", "0"] == of_kernel
    assert shown["theano", "float64", "32", "20"] == ["no", "", "", "", "", ""]
    assert shown["pytensor-c", "float64", "32", "0"][:4] == ["yes", "reference", "", ""]
    notes = " ".join(table.notes)
    assert "Not compiled: theano: no Theano: `make theano`." in notes
    assert "6.0e-15 (kernel, word_output)" in notes and "differ by 1.5e-15 at most" in notes
    assert "Some processor, 2 cores, 2026-01-02" in notes
    assert "not measured" not in notes


def test_the_csv_has_a_column_for_each_parameter(results):
    write_engine_table(results.experiment, results.directory)
    found = pd.read_csv(results.directory.table("engines", "csv"))
    row = found[(found["engine"] == "kernel") & (found["precision"] == "float32")].iloc[0]
    assert row["embeddings_difference"] == 3e-6 and row["word_output_difference"] == 6e-6
    assert row["loss_difference"] == 3e-6 and row["compile_seconds"] == 7.89
    assert not {"parameter", "parameter_difference", "is_reference"} & set(found)
    assert found["why_not"].notna().sum() == 4


@pytest.mark.parametrize("other", ["network", "corpus_digest"])
def test_what_was_measured_for_another_configuration_is_not_shown(results, other):
    planned = measurements_of(results.experiment)[-1]
    network = planned.network.model_copy(update={"learning_rate": 0.7})
    _write(results, planned, **{other: network if other == "network" else "f" * 64})
    table = make(results)
    assert len(table.cells()) == 11
    assert "1 of 12 are not measured" in " ".join(table.notes)


def test_without_any_measurement_the_error_says_how_to_make_them(invented):
    found = invented(rows=ROWS)
    with pytest.raises(UserError, match="`make engines`"):
        write_engine_table(found.experiment, found.directory)
    assert not found.directory.table("engines", "csv").exists()


def test_kinds_of_networks_are_told_apart(invented):
    rows = [{"hidden_size": 5}, {"hidden_size": 6, "cell": "lstm"}]
    found = invented(rows=rows, engine_table=TABLE)
    for planned in measurements_of(found.experiment):
        _write(found, planned)
    table = make(found)
    assert table.headings[0] == "Network"
    assert {row[0] for row in table.cells()} == {"5/0", "5/20", "6/0 LSTM", "6/20 LSTM"}


def _report(results, published_file):
    write_report(results.experiment, results.directory, published_file)
    return results.directory.report.read_text(encoding="utf-8")


def test_the_report_shows_the_table_if_it_was_made(results, published_file):
    write_figures(results.experiment, results.directory)
    write_claims(results.experiment, results.directory)
    assert "<h2>The engines</h2>" not in _report(results, published_file)
    write_engine_table(results.experiment, results.directory)
    page = _report(results, published_file)
    assert "<h2>The engines</h2>" in page and "12,346" in page
    assert "--force" in page and "tables/engines.csv" in page


def test_no_job_waits_for_the_table_but_the_report_reads_it(results):
    jobs = Jobs(results.experiment, results.directory, "published.yaml")
    table = results.directory.table("engines", "csv")
    report = jobs["report", ""]
    assert str(table) not in {*jobs.outputs, *(file for job in jobs for file in job.inputs)}
    assert table in report.files.inputs
    record = results.directory.measurement(measurements_of(results.experiment)[0].name)
    assert record in report.files.inputs


def _parsed(**changes):
    values = {"experiment": "some", "corpora": {"own": {"source": {"kind": "wikipedia-vital"}}}}
    return loading.parse({**values, "rows": [{"hidden_size": 5}], **changes})


def test_the_table_decides_no_run_and_no_other_result():
    one, other = _parsed(), _parsed(engine_table={"updates": 7, "engines": ["kernel"]})
    assert inputs.whole_experiment(one) == inputs.whole_experiment(other)
    directory = ExperimentDirectory(Path("results/some"))
    identities = [
        {(job.rule, job.name): job.identity for job in Jobs(described, directory, "p.yaml")}
        for described in (one, other)
    ]
    assert identities[0] == identities[1]


def test_one_row_of_each_kind_is_measured_and_no_network_twice():
    rows = [
        {"hidden_size": [5, 6], "document_size": [0, 3]},
        {"hidden_size": 5, "document_size": 3, "document_layer": "both", "engine": "graph"},
        {"hidden_size": 5, "document_size": 3, "cell": "gru", "optimizer": "sgd"},
    ]
    described = _parsed(rows=rows)
    planned = measurements_of(described)
    # Without a vector, one that feeds both layers is the network of the first row.
    networks = {(one.model, one.network.batch_sentences) for one in planned}
    models = {"5/0", "5/20", "5/20 both", "5/0 GRU", "5/20 GRU"}
    assert networks == {(model, batch) for model in models for batch in (1, 32)}
    assert len(planned) == len(networks) * 5 * 2
    assert len({one.name for one in planned}) == len(planned)
    assert len(references_of(described)) == len(networks)
    assert {one.settings.engine for one in planned if one.model == "5/0"} == {
        *("graph", "kernel", "theano", "jax")
    }


def test_the_documented_table_is_that_of_the_example(results):
    text = (PROJECT / "docs" / "theano.md").read_text(encoding="utf-8")
    shown = text.split("<!-- engines -->\n")[1].split("<!-- /engines -->")[0]
    lines = [line.strip("|").split("|") for line in shown.splitlines() if line.startswith("|")]
    heading, _, *rows = [[cell.strip() for cell in line] for line in lines]
    assert heading == make(results).headings
    example = loading.load(PROJECT / "config" / "examples" / "engines.yaml")
    assert [tuple(row[:4]) for row in rows] == [
        (one.engine, one.precision, str(batch), str(one.network.document_size))
        for one in measurements_of(example)
        for batch in [one.network.batch_sentences]
    ]
    assert {row[4] for row in rows} == {"yes"}
