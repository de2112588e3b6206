"""Tests of the parts of pages that are made from a folder of evidence."""

import pytest

from docs.generate import evidence
from online_rnnlm.analysis.claims import write_claims
from online_rnnlm.errors import UserError

STATIC = [{"hidden_size": size} for size in range(100, 108)]
VECTOR = {"hidden_size": 100, "document_size": 20}


def finding(results, monkeypatch):
    """Make the part of a page from an invented experiment, as if its files were kept."""
    write_claims(results.directory)
    monkeypatch.setattr(evidence, "EVIDENCE", results.directory.path.parent)
    return evidence.tables()[f"{results.directory.path.name} finding"]()


def test_the_finding_has_what_its_network_is_compared_with_the_worst_first(invented, monkeypatch):
    made = finding(invented(rows=[*STATIC, VECTOR]), monkeypatch)
    _, _, *rows = made.splitlines()
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    perplexities = [float(row[1]) for row in cells]
    assert perplexities == sorted(perplexities, reverse=True)
    against = {row[0]: row[-1] for row in cells}
    assert "100/20" in against and not against.pop("100/20")
    assert against and all(against.values())
    assert len(against) < len(STATIC)


def test_without_a_claim_there_is_no_finding(invented, monkeypatch):
    with pytest.raises(UserError, match=r"claims\.json: no claim is tested"):
        finding(invented(rows=STATIC[:1]), monkeypatch)
