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
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", site]
    done = output_of(command, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    for words, heading in SEARCHED.items():
        address = f"file://{site}/theano/1-symbols.html?q={quote(words)}"
        options = ("--dump-dom", "--virtual-time-budget=20000")
        page = browse(address, tmp_path / "profile", *options, seconds=PATIENCE)
        found = re.sub("<[^>]+>", "", page.stdout.partition("md-search-result__article")[2])
        assert heading in found, words
    assert re.findall(r'<(?:link|script|img)[^>]*"https?://', page.stdout) == []
