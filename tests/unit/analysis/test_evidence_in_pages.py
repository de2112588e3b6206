"""Tests of the parts of pages that are made from a folder of evidence."""

import pytest

from docs.generate.evidence import TABLES_OF_EVIDENCE
from online_rnnlm.analysis.claims import write_claims
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.errors import UserError
from tests.unit.analysis.changes import again, change_split

STATIC = [{"hidden_size": size} for size in (100, 110, 120, 160)]
VECTOR = {"hidden_size": 100, "document_size": 20}


def finding(results):
    """Make the part of a page from an invented experiment, as if its files were kept."""
    write_claims(results.directory)
    return TABLES_OF_EVIDENCE["finding"](EvidenceFolder(results.directory.path))


def test_the_finding_has_what_its_network_is_compared_with_the_worst_first(invented):
    """No claim is about 160/0: 120/0 is smaller, and larger than 100/20 in every respect."""
    results = invented(rows=[*STATIC, VECTOR])
    *static, _ = results.runs
    for run, perplexity in zip(static, (110.0, 111.0, 112.0, 113.0), strict=True):
        change_split(results.directory, run.name, "none", "test", perplexity=perplexity)
    made = finding(again(results))
    _, _, *rows = made.splitlines()
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    assert [(row[0], row[1], row[-1] == "") for row in cells] == [
        ("120/0", "112.0", False),
        ("110/0", "111.0", False),
        ("100/0", "110.0", True),  # of as many units, of which no claim is
        ("100/20", "92.8", True),
    ]


def test_without_a_claim_there_is_no_finding(invented):
    with pytest.raises(UserError, match=r"claims\.json: no claim is tested"):
        finding(invented(rows=STATIC[:1]))
