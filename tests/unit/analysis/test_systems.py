"""Tests of the comparison's networks and of those that figures, tables and claims use."""

import pytest

from online_rnnlm.analysis.figures.epochs import draw_learning
from online_rnnlm.analysis.opponents import (
    headline_on,
    opponents_of,
    static_like,
    static_of_as_many_units,
)
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.runs import RunRecord
from tests.unit.analysis.changes import IN_ORDER, again

LSTM = {"hidden_size": 100, "document_size": 20, "cell": "lstm"}
ROWS = [{"hidden_size": 100, "document_size": [0, 20, 35]}, LSTM]
RUN = "invented-M120-D0-seed1"


ARTICLES = {"document_size": 20, "unit_of_text": "document"}


@pytest.mark.parametrize(
    ("rows", "headline"),
    [
        (ROWS, "100/20"),  # the first of the paper's, whatever is better
        ([ARTICLES, {"document_size": [35, 20]}], "100/35"),
        ([{"document_size": 0}, LSTM, ARTICLES], "100/20 per article"),
        ([{"document_size": 0}, LSTM], "LSTM 100/20"),
        ([{"hidden_size": [100, 120]}], "100/0"),
        ([LSTM, {"document_size": 20}], "100/20"),
        ([{"hidden_size": [50, 100], "document_size": 20}, {"hidden_size": 100}], "100/20"),
    ],
)
def test_the_headline_is_the_network_nearest_to_the_papers_own(invented, rows, headline):
    values = {"100/35": 80.0, "LSTM 100/20": 1.0, "120/0": 4.0}
    results = invented(values, rows=rows, corpora=IN_ORDER)
    assert headline_on(results, "invented").network_name == headline


@pytest.mark.parametrize(
    ("static", "same", "more", "shown"),
    [
        ([100, 120, 135], "100/0", "120/0", ["100/0", "120/0"]),  # 135/0 has more as well
        ([90, 150, 100], "100/0", "150/0", ["100/0", "150/0"]),
        ([100], "100/0", None, ["100/0"]),
        ([90, 95], None, None, ["95/0"]),
        ([100, 105], "100/0", None, ["100/0", "105/0"]),
        ([], None, None, []),
    ],
)
def test_a_vector_is_set_against_a_like_and_a_larger_network(invented, static, same, more, shown):
    rows = [{"hidden_size": 100, "document_size": 20}, *({"hidden_size": m} for m in static)]
    results = invented(rows=rows)
    vector = results.networks[0]
    as_many_units = static_of_as_many_units(results, vector)
    like = static_like(results, vector)
    as_large = [network for network in like if network.parameters >= vector.parameters]
    assert (as_many_units and as_many_units.network_name) == same
    assert (as_large[0].network_name if as_large else None) == more
    assert [network.network_name for network in opponents_of(results, vector)] == shown


def test_results_that_do_not_belong_together_are_refused(invented):
    results = invented()
    files = results.directory.run(RUN)
    record = records.read(RunRecord, files.record)
    metrics = files.metrics.read_text()
    records.write(files.record, record.model_copy(update={"corpus_digest": "0" * 64}))
    with pytest.raises(UserError, match=f"{files.record}: trained on another text"):
        again(results)
    records.write(files.record, record)
    files.metrics.write_text(metrics.replace('"epoch": 2', '"epoch": 3'))
    with pytest.raises(UserError, match=f"{files.metrics}: changed since it was made"):
        draw_learning(again(results))
    files.metrics.write_text(metrics)
