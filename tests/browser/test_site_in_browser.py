"""A test of the documentation's site in a real browser, opened from its files without a network."""

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.browser.chromium import CHROMIUM, browse
from tests.processes import PATIENCE, output_of
from tests.project import ROOT

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(find_spec("mkdocs") is None, reason="MkDocs is not installed: `make docs`"),
]
SEARCHED = {
    "perplexity": "Perplexity",
    "cite": "How to cite",
    "macOS": "Linux, macOS, Windows",
    "add a cell": "Add a cell, a rival",
    "surprisal of each word": "surprisal",
    "oov_rate": "oov_rate",
}
"""Words that readers search for, and a heading that is found; the last is a record's key."""


def test_the_site_is_searched_and_complete_without_a_network(tmp_path: Path) -> None:
    site = tmp_path / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", site]
    done = output_of(command, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    for words, heading in SEARCHED.items():
        address = f"file://{site}/theano/1-symbols.html?q={quote(words)}"
        options = ("--dump-dom", "--virtual-time-budget=20000")
        page = browse(address, tmp_path / "profile", *options, seconds=PATIENCE)
        found = re.sub("<[^>]+>", "", page.stdout.partition("md-search-result__article")[2])
        assert heading in found, words
    assert re.findall(r'<(?:link|script|img)[^>]*"https?://', page.stdout) == []


@pytest.mark.parametrize("target", ["nothing.md", "../src/nothing.py", "index.md#nothing"])
def test_a_link_to_nothing_fails_the_build(tmp_path: Path, target: str) -> None:
    page = tmp_path / "docs" / "index.md"
    page.parent.mkdir()
    page.write_text(f"[A link]({target}).\n")
    own = f"INHERIT: {ROOT / 'mkdocs.yml'}\nsite_dir: {tmp_path / 'site'}\n"
    configuration = tmp_path / "mkdocs.yml"
    configuration.write_text(own + "docs_dir: docs\nnav: [index.md]\nhooks: []\nplugins: []\n")
    command = output_of(
        ["make", "--dry-run", "--no-print-directory", "docs"], cwd=ROOT
    ).stdout.splitlines()[-1]
    done = output_of(["sh", "-c", f"{command} --config-file {configuration}"], cwd=ROOT)
    assert done.returncode == 1
    assert "Aborted with 1 warnings in strict mode!" in done.stdout + done.stderr
