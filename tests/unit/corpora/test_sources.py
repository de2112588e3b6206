"""Tests that every kind of source is a module that answers without reading the source."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from online_rnnlm.config import corpora as typed
from online_rnnlm.config import sources as of_sources
from online_rnnlm.corpora import sources
from online_rnnlm.corpora.sources import base
from online_rnnlm.storage.paths import SPLITS

KINDS = [
    get_args(one.model_fields["kind"].annotation)[0]
    for one in get_args(get_args(of_sources.SourceSettings)[0])
]
ALL = ("fetch", "articles", "sentences", "splits", "vocabulary", "encode")
THREE = {split: Path(f"{split}.txt") for split in SPLITS}


def source(**settings: object) -> base.Source:
    corpus = typed.CorpusSettings.model_validate({"source": settings})
    return sources.source_of(corpus.source)


def test_the_modules_are_those_of_the_kinds() -> None:
    folder = Path(sources.__file__).parent
    modules = {file.stem for file in folder.glob("*.py")} - {"__init__", "base"}
    assert modules == {kind.replace("-", "_") for kind in KINDS}


@pytest.mark.parametrize(
    ("settings", "stages", "files"),
    [
        ({"kind": "wikipedia-vital"}, ALL, ["downloads/summaries_en-us.json"]),
        ({"kind": "text", "file": "own.txt"}, ALL[1:], ["own.txt"]),
        ({"kind": "text", "file": "own.txt", "tokenised": True}, ALL[3:], ["own.txt"]),
        ({"kind": "text", **THREE}, ALL[3:], ["train.txt", "valid.txt", "test.txt"]),
    ],
)
def test_a_source_says_its_stages_and_its_files(
    settings: dict[str, object], stages: tuple[str, ...], files: list[str]
) -> None:
    found = source(**settings)
    assert found.stages() == stages
    assert [str(file) for file in found.files(Path("downloads"))] == files


@pytest.mark.parametrize(
    ("settings", "counted"),
    [
        ({"kind": "wikipedia-excerpt"}, True),
        ({"kind": "text", "file": "own.jsonl.xz"}, True),
        ({"kind": "text", "file": "own.txt"}, False),
        ({"kind": "text", "file": "own.jsonl", "tokenised": True}, False),
        ({"kind": "text", **THREE}, False),
    ],
)
def test_articles_are_counted_where_they_are_known(
    settings: dict[str, object], counted: bool
) -> None:
    assert source(**settings).counts_articles() is counted


def test_a_kind_without_a_module_is_an_error() -> None:
    unknown = of_sources.WikipediaVitalSource.model_construct(kind="nowhere")
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        sources.source_of(unknown)


def test_asking_a_source_loads_nothing_slow() -> None:
    script = (
        "import sys; from online_rnnlm.config import corpora as c\n"
        "from online_rnnlm.corpora.sources import source_of\n"
        "files = dict.fromkeys(('train', 'valid', 'test'), 'a.txt')\n"
        "needs = {'text': files, 'penn-treebank': files, 'dump': {'file': 'a.xml'}}\n"
        f"for kind in {KINDS!r}:\n"
        "    values = {'kind': kind, **needs.get(kind, {})}\n"
        "    source = source_of(c.CorpusSettings(source=values).source)\n"
        "    source.stages(), source.describe(), source.downloads()\n"
        "slow = 'mwxml', 'mwparserfromhell', 'nltk', 'numpy', 'pyarrow', 'requests'\n"
        "print([m for m in slow if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
