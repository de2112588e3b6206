"""Tests of downloads from a local HTTP server that behaves badly."""

from __future__ import annotations

import hashlib
import random
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from online_rnnlm.config.sources import Url
from online_rnnlm.corpora import transfer
from online_rnnlm.corpora.download import fetch
from online_rnnlm.corpora.remote import Checksum, RemoteFile, find_sum, on_hugging_face
from online_rnnlm.errors import UserError
from tests.unit.corpora.http_server import BadServer, Served, bad_server

CONTENT = random.Random(1).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WRONG = b"<html>Please log in.</html>"


@pytest.fixture
def server() -> Iterator[BadServer]:
    with bad_server() as made:
        yield made


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times that were waited, without waiting them."""
    waited: list[float] = []
    monkeypatch.setattr(transfer.time, "sleep", waited.append)
    return waited


def remote(*addresses: str, **changes: object) -> RemoteFile:
    values = {"address": list(addresses), "sha256": SHA256, "name": "text.bin"}
    return RemoteFile.of(Url.model_validate(values | changes))


@pytest.mark.parametrize(
    "served",
    [
        Served(CONTENT),
        Served(CONTENT, breaks=1),
        Served(CONTENT, breaks=7),
        Served(CONTENT, breaks=3, ranges=False),
        Served(CONTENT, says_longer=9),
        Served(CONTENT, says_longer=9, ranges=False),
        Served(CONTENT, busy=(503, 429, 500, 502)),
        Served(CONTENT, busy=(503,), breaks=4),
        Served(b""),
    ],
    ids=lambda served: ", ".join(f"{k} {v}" for k, v in vars(served).items() if k != "content"),
)
def test_the_file_arrives_whole(server: BadServer, tmp_path: Path, served: Served) -> None:
    server.files["text.bin"] = served
    sha256 = hashlib.sha256(served.content).hexdigest()
    file = fetch(remote(server.address("text.bin"), sha256=sha256), tmp_path)
    assert file.read_bytes() == served.content
    assert list(tmp_path.iterdir()) == [file]
    before = server.asked.total()
    assert fetch(remote(server.address("text.bin"), sha256=sha256), tmp_path) == file
    assert server.asked.total() == before


@pytest.mark.parametrize("length", ["²", "9" * 5000])
def test_a_length_that_is_none_is_no_harm(server: BadServer, tmp_path: Path, length: str) -> None:
    server.files["text.bin"] = Served(CONTENT, says_length=length)
    assert fetch(remote(server.address("text.bin")), tmp_path).read_bytes() == CONTENT


def test_only_what_is_missing_is_asked_for(server: BadServer, tmp_path: Path) -> None:
    server.files["text.bin"] = Served(CONTENT, breaks=2)
    fetch(remote(server.address("text.bin")), tmp_path)
    assert server.parts == ["bytes=150000-", "bytes=225000-"]


def test_a_killed_download_is_continued(server: BadServer, tmp_path: Path) -> None:
    (tmp_path / ".text.bin.part").write_bytes(CONTENT[:1000])
    server.files["text.bin"] = Served(CONTENT)
    assert fetch(remote(server.address("text.bin")), tmp_path).read_bytes() == CONTENT
    assert server.parts == ["bytes=1000-"]


@pytest.mark.parametrize("left", [b"of another file", CONTENT + b"more", CONTENT])
def test_what_another_download_left_is_no_harm(
    server: BadServer, tmp_path: Path, left: bytes
) -> None:
    (tmp_path / ".text.bin.part").write_bytes(left)
    server.files["text.bin"] = Served(CONTENT)
    assert fetch(remote(server.address("text.bin")), tmp_path).read_bytes() == CONTENT


def test_redirects_are_followed(server: BadServer, tmp_path: Path) -> None:
    server.files["here"] = Served(b"", moved_to="/there/text.bin")
    server.files["there/text.bin"] = Served(CONTENT, breaks=1)
    assert fetch(remote(server.address("here")), tmp_path).read_bytes() == CONTENT


def test_a_circle_of_redirects_is_an_error(server: BadServer, tmp_path: Path) -> None:
    server.files["here"] = Served(b"", moved_to="/here")
    with pytest.raises(UserError, match="redirects"):
        fetch(remote(server.address("here")), tmp_path)


@pytest.mark.parametrize(
    ("said", "waited"),
    [("7", 7.0), ("100000", transfer.LONGEST_WAIT), (None, 1.0), ("soon", 1.0), ("²", 1.0)],
)
def test_the_server_says_how_long_to_wait(
    server: BadServer, tmp_path: Path, waits: list[float], said: str | None, waited: float
) -> None:
    server.files["text.bin"] = Served(CONTENT, busy=(429,), retry_after=said)
    fetch(remote(server.address("text.bin")), tmp_path)
    assert waits == [waited]


def test_waits_grow_until_the_address_is_given_up(
    server: BadServer, tmp_path: Path, waits: list[float]
) -> None:
    server.files["text.bin"] = Served(CONTENT, busy=(503,) * 99)
    with pytest.raises(UserError, match=r"text\.bin.*503 Service Unavailable.*6 attempts"):
        fetch(remote(server.address("text.bin")), tmp_path)
    assert waits == [1, 2, 4, 8, 16]


def test_clients_name_themselves(server: BadServer, tmp_path: Path) -> None:
    server.files["text.bin"] = Served(CONTENT)
    fetch(remote(server.address("text.bin")), tmp_path)
    [name] = server.names
    assert re.fullmatch(r"online-rnnlm/\S+ \(.*https://.*\) python-requests/\S+", name)


def test_a_wrong_file_is_said_with_both_sums_and_kept_aside(
    server: BadServer, tmp_path: Path
) -> None:
    server.files["text.bin"] = Served(WRONG)
    found = hashlib.sha256(WRONG).hexdigest()
    with pytest.raises(UserError, match=rf"{found}.*{SHA256}.*text\.bin\.wrong") as caught:
        fetch(remote(server.address("text.bin")), tmp_path)
    assert "\n" not in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ["text.bin.wrong"]
    assert (tmp_path / "text.bin.wrong").read_bytes() == WRONG


def test_mirrors_are_tried_in_turn(server: BadServer, tmp_path: Path) -> None:
    server.files["wrong"] = Served(WRONG)
    server.files["right"] = Served(CONTENT)
    addresses = [server.address(path) for path in ("missing", "wrong", "right", "never")]
    assert fetch(remote(*addresses), tmp_path).read_bytes() == CONTENT
    assert server.asked == {"missing": 1, "wrong": 1, "right": 1}


def test_each_mirrors_problem_is_said(server: BadServer, tmp_path: Path) -> None:
    server.files["wrong"] = Served(WRONG)
    addresses = [server.address(path) for path in ("missing", "wrong")]
    with pytest.raises(UserError) as caught:
        fetch(remote(*addresses), tmp_path)
    message = str(caught.value)
    assert message.startswith("text.bin: could not be downloaded: ")
    assert f"{addresses[0]}: the server answers 404 Not Found" in message
    assert f"{addresses[1]}: a wrong file: sha256 " in message


def test_without_a_server_there_is_one_line(tmp_path: Path, waits: list[float]) -> None:
    with socket.socket() as taken:  # nothing listens there
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/text.bin"
        with pytest.raises(UserError, match="connection is refused") as caught:
            fetch(remote(address), tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="no such host"):
        fetch(remote("http://no-such-host.invalid/text.bin"), tmp_path)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("form", ["{sum}  {name}", "{sum} *./dir/{name}", "SHA ({name}) = {sum}"])
def test_a_list_of_sums_decides(
    server: BadServer, tmp_path: Path, algorithm: str, form: str
) -> None:
    right = hashlib.new(algorithm, CONTENT).hexdigest()
    others = f"{'0' * len(right)}  text.bin.old\n{'1' * len(right)}  another.bin\n"
    server.files["sums.txt"] = Served(
        f"# sums\n{others}{form.format(sum=right, name='text.bin')}\n".encode(), busy=(503,)
    )
    server.files["dir/text.bin"] = Served(CONTENT, breaks=1)
    download = remote(
        server.address("dir/text.bin"), sha256=None, checksums=server.address("sums.txt")
    )
    file = fetch(download, tmp_path)
    assert file.read_bytes() == CONTENT
    note = tmp_path / "text.bin.sha256"
    assert f"{SHA256}  text.bin\n" in note.read_text()
    before = server.asked.total()
    fetch(download, tmp_path)
    assert server.asked.total() == before
    file.write_bytes(WRONG)
    with pytest.raises(UserError, match="wrong checksum"):
        fetch(download, tmp_path)
    note.unlink()
    with pytest.raises(UserError, match=f"{algorithm} .*, not the expected {right}: delete it"):
        fetch(download, tmp_path)
    file.write_bytes(CONTENT)
    fetch(download, tmp_path)
    assert note.is_file()


def test_a_list_without_the_file_is_an_error(server: BadServer, tmp_path: Path) -> None:
    server.files["sums.txt"] = Served(f"{'0' * 64}  another.bin\n".encode())
    server.files["text.bin"] = Served(CONTENT)
    for name in ("sums.txt", "none.txt"):
        sums = server.address(name)
        download = remote(server.address("text.bin"), sha256=None, checksums=sums)
        with pytest.raises(UserError, match=rf"{re.escape(sums)}: "):
            fetch(download, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_in_a_list_is_that_of_its_path() -> None:
    zero, one = "0" * 64, "1" * 64
    text = f"{zero}  old/a.txt\n{one}  a.txt\n"
    assert find_sum(text, "a.txt") == Checksum("sha256", one)
    assert find_sum(f"{zero}  old/a.txt\n", "a.txt") == Checksum("sha256", zero)
    assert find_sum(f"{zero}  old/a.txt\n{one}  new/a.txt\n", "a.txt") is None
    assert find_sum(f"{zero}  a.txt\n{one}  a.txt\n", "a.txt") is None


@pytest.mark.parametrize("name", ["a\\b.txt", "a\nb.txt", "a\\nb", "a\\\\r\\\nb"])
@pytest.mark.parametrize("options", [(), ("--tag",)])
def test_an_escaped_name_in_a_list_is_read(
    tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    """`sha256sum` writes a backslash before the line of such a name."""
    (tmp_path / name).write_bytes(CONTENT)
    (tmp_path / "other").write_bytes(WRONG)
    command = ["sha256sum", *options, name, "other", "./" + name]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout.decode()
    assert said.startswith("\\")
    assert find_sum(said, name) == Checksum("sha256", SHA256)
    assert find_sum(said, f"{name}x") is None


def test_a_backslash_in_a_name_that_is_not_escaped_is_one() -> None:
    assert find_sum(rf"\{SHA256}  a\rb", "a\rb") == Checksum("sha256", SHA256)
    assert find_sum(f"{SHA256}  C:\\new.txt\n", "C:\\new.txt") == Checksum("sha256", SHA256)


def test_an_address_may_have_letters_that_are_written_as_numbers(
    server: BadServer, tmp_path: Path
) -> None:
    server.files["my%20text.bin"] = Served(CONTENT)
    server.files["sums"] = Served(f"{SHA256}  my text.bin\n".encode())
    download = remote(
        server.address("my%20text.bin"), sha256=None, checksums=server.address("sums")
    )
    assert fetch(download, tmp_path).read_bytes() == CONTENT


def test_a_folder_in_the_way_is_said(server: BadServer, tmp_path: Path) -> None:
    (tmp_path / "text.bin").mkdir()
    with pytest.raises(UserError, match=r"text\.bin: is a folder"):
        fetch(remote(server.address("text.bin")), tmp_path)


def test_a_git_lfs_pointer_is_a_list_of_one_sum() -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA256}\nsize 9\n"
    assert find_sum(pointer, "any") == Checksum("sha256", SHA256)
    assert find_sum(f"{SHA256}\n", "any") == Checksum("sha256", SHA256)
    assert find_sum("nothing", "any") is None


def test_a_file_of_a_data_set_has_a_fixed_address_and_its_pointer() -> None:
    file = on_hugging_face("some/set", "abc", "x/y.parquet", "kept.parquet")
    assert file.origin == "https://huggingface.co/datasets/some/set/resolve/abc/x/y.parquet"
    assert file.checksums == "https://huggingface.co/datasets/some/set/raw/abc/x/y.parquet"
    assert file.name == "kept.parquet"


@pytest.mark.parametrize("note", [None, b"", b"\xff\xfe", f"{'0' * 64}  text.bin\n".encode()])
def test_a_file_of_another_address_is_not_believed(
    server: BadServer, tmp_path: Path, note: bytes | None
) -> None:
    """The new address ends in the same name, so its file would be kept under the same one."""
    for version, content in (("v1", CONTENT), ("v2", WRONG)):
        server.files[f"{version}/text.bin"] = Served(content)
        sums = f"{hashlib.sha256(content).hexdigest()}  text.bin\n"
        server.files[f"{version}/sums"] = Served(sums.encode())
    first, second = (
        remote(
            server.address(f"{version}/text.bin"),
            sha256=None,
            checksums=server.address(f"{version}/sums"),
        )
        for version in ("v1", "v2")
    )
    file = fetch(first, tmp_path)
    if note is not None:
        (tmp_path / "text.bin.sha256").write_bytes(note)
    with pytest.raises(UserError, match=f"{SHA256}, not the expected .*: delete it"):
        fetch(second, tmp_path)
    assert fetch(first, tmp_path) == file
    file.unlink()
    assert fetch(second, tmp_path).read_bytes() == WRONG
