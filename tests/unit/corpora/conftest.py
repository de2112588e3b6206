from pathlib import Path

import pytest

from online_rnnlm.configuration import CorpusSettings


@pytest.fixture
def settings(tmp_path: Path) -> CorpusSettings:
    """A small text of the user's, every word kept."""
    source = {"kind": "text", "file": tmp_path / "text.txt"}
    sizes = {"valid_sentences": 3, "test_sentences": 2}
    return CorpusSettings.model_validate(
        {"source": source, **sizes, "vocabulary": {"min_count": 1}, "classes": {"count": 3}}
    )
