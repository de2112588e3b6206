"""Small corpora: their settings, their files, and their preparation."""

import bz2
import gzip
import json
import lzma
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.planning import sums_of
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.stages import run_stage
from online_rnnlm.storage.paths import CorpusDirectory

PAGE = (
    "<page><title>{title}</title><ns>{ns}</ns><id>{id}</id>{redirect}"
    "<revision><id>{id}</id>{text}</revision></page>"
)


def settings_of(source: Mapping[str, object], **values: object) -> CorpusSettings:
    """Settings of a small corpus with every word kept; a source is of the kind `text`."""
    sizes = {"valid_sentences": 3, "test_sentences": 2, "vocabulary": {"min_count": 1}}
    source = {"kind": "text", **source}
    return CorpusSettings.model_validate(
        {"source": source, **sizes, "classes": {"count": 3}, **values}
    )


def run_stages(
    settings: CorpusSettings,
    directory: CorpusDirectory,
    downloads: Path,
    processes: int = 1,
    other_texts: Mapping[str, Path] | None = None,
) -> None:
    """Prepare a corpus by all of its stages, as the workflow's rules do; a ready text skips two."""
    source = source_of(settings.source)
    others = other_texts or {}
    sums = sums_of([*source.user_files(), *others.values()])
    ready = source.skips_sentences
    for stage in ("fetch", "encode") if ready else ("fetch", "articles", "sentences", "encode"):
        run_stage(stage, settings, directory, downloads, sums, processes, others)


def prepare(
    settings: CorpusSettings,
    folder: Path,
    processes: int = 1,
    name: str = "small",
    **other_texts: Path,
) -> CorpusDirectory:
    """Run all stages of a corpus in `folder`, which has the downloads, too."""
    directory = CorpusDirectory(folder / name)
    run_stages(settings, directory, folder / "downloads", processes, other_texts)
    return directory


def write(file: Path, content: str | bytes | Iterable[Mapping[str, object]]) -> Path:
    """Write a text, bytes, or a JSON object per line."""
    if not isinstance(content, str | bytes):
        content = "".join(json.dumps(row) + "\n" for row in content)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def lines(file: Path) -> list[str]:
    """Read the lines of a text."""
    return file.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def dump(pages: list[dict[str, object]]) -> bytes:
    """Return the XML dump of a wiki with these pages."""
    texts = []
    for number, page in enumerate(pages, 1):
        text = f"<text>{page['text']}</text>"
        values = {"ns": 0, "redirect": "", **page, "id": number, "text": text}
        texts.append(PAGE.format(**values))
    info = "<siteinfo><sitename>W</sitename><namespaces></namespaces></siteinfo>"
    xml = f'<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/">{info}'
    return (xml + "".join(texts) + "</mediawiki>").encode()


def zst(content: bytes) -> bytes:
    """Compress a content."""
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(content)
    found: bytes = out.getvalue().to_pybytes()
    return found


def as_parquet(rows: Sequence[Mapping[str, object]]) -> bytes:
    """Return a Parquet file of these rows."""
    out = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(rows), out)
    found: bytes = out.getvalue().to_pybytes()
    return found


PACKED = {"": bytes, ".gz": gzip.compress, ".BZ2": bz2.compress, ".xz": lzma.compress, ".zst": zst}
"""Functions that pack a content, by the suffix of its file."""
