"""Tests of the parts of pages that are made from a folder of evidence."""

import pytest

from docs.generate import evidence
from online_rnnlm.analysis.claims import write_claims
from online_rnnlm.errors import UserError
from tests.unit.analysis.changes import again, change_split

STATIC = [{"hidden_size": size} for size in range(100, 108)]
VECTOR = {"hidden_size": 100, "document_size": 20}


def finding(results, monkeypatch):
    """Make the part of a page from an invented experiment, as if its files were kept."""
    write_claims(results.directory)
    monkeypatch.setattr(evidence, "EVIDENCE", results.directory.path.parent)
    return evidence.tables()[f"{results.directory.path.name} finding"]()


def test_networks_of_equal_perplexity_keep_the_order_of_the_configuration(invented, monkeypatch):
    results = invented(rows=[*STATIC, VECTOR])
    *static, vector = results.runs
    for run in static:
        change_split(results.directory, run.name, "none", "test", perplexity=110.0)
    made = finding(again(results), monkeypatch)
    _, _, *rows = made.splitlines()
    assert [row.split("|")[1].strip() for row in rows] == [
        one.run.network_name for one in (*static, vector)
    ]


def test_without_a_claim_there_is_no_finding(invented, monkeypatch):
    with pytest.raises(UserError, match=r"claims\.json: no claim is tested"):
        finding(invented(rows=STATIC[:1]), monkeypatch)
