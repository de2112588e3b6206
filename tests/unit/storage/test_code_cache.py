"""Tests that a digest is remembered for the same sources, and for no others."""

from collections.abc import Callable
from pathlib import Path

import pytest

from online_rnnlm.storage import code_cache
from online_rnnlm.storage.code_cache import remembered

QUESTION = "starts without nothing"


def forget() -> None:
    """Make this process like a new one."""
    code_cache._file.cache_clear()
    code_cache._known.cache_clear()


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A package of one module; what is remembered is in the folder `cache` beside it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "module.py").write_text("one = 1", encoding="utf-8")
    forget()
    yield folder
    forget()


def ask(package: Path, question: str = QUESTION, during: Callable[[], object] = bool) -> bool:
    """Ask in a new process; return whether the answer had to be found."""
    found: list[str] = []

    def find() -> str:
        during()
        found.append("0" * 64)
        return found[-1]

    forget()
    assert remembered(question, package, find) == "0" * 64
    return bool(found)


def kept(package: Path) -> Path:
    """The only file in which something is remembered."""
    [file] = (package.parent / "cache/online-rnnlm/code").iterdir()
    return file


def test_an_answer_is_found_once_for_each_question(package):
    assert ask(package)
    assert not ask(package)
    assert ask(package, "another")
    assert not ask(package, "another")
    assert not ask(package)


@pytest.mark.parametrize("change", ["edit", "add", "rename", "delete"])
def test_other_sources_are_asked_again_and_the_same_ones_are_not(package, change):
    assert ask(package)
    module = package / "module.py"
    match change:
        case "edit":
            module.write_text("one = 2", encoding="utf-8")
        case "add":
            (package / "new.py").touch()
        case "rename":
            module.rename(package / "other.py")
        case "delete":
            module.unlink()
    assert ask(package)
    for file in package.iterdir():
        file.unlink()
    module.write_text("one = 1", encoding="utf-8")
    assert not ask(package)


def test_an_edit_while_the_answer_is_found_is_not_mistaken_for_the_state_before(package):
    module = package / "module.py"
    ask(package, during=lambda: module.write_text("one = 2", encoding="utf-8"))
    module.write_text("one = 1", encoding="utf-8")
    assert ask(package)


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-1], lambda text: text.replace(" 0", " 1", 1), lambda text: "é"]
)
def test_a_damaged_answer_is_not_believed(package, damage):
    ask(package)
    file = kept(package)
    file.write_bytes(damage(file.read_text(encoding="ascii")).encode())
    assert ask(package)


def test_an_answer_that_cannot_be_kept_is_found_each_time(package):
    (package.parent / "cache").touch()  # a file in the folder's place
    assert ask(package)
    assert ask(package)
