"""Articles of Wikipedia: the project's own sample, a part of a data set, or a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from online_rnnlm.config.sources import WikipediaSource
from online_rnnlm.corpora.downloads import Download, on_hugging_face
from online_rnnlm.corpora.records import CorpusSource
from online_rnnlm.corpora.sources import base
from online_rnnlm.corpora.textfiles import Article, read_all_articles, refuse_none
from online_rnnlm.storage.paths import RESOURCES

_DATA_SET = "wikimedia/wikipedia"
_REVISION = "b04c8d1ceb2f5cd4588862100d08de323dccfbaa"
_SHARDS = 41
_SAMPLE = RESOURCES / "enwiki2014-sample.jsonl.xz"


class Source(base.FileSource[WikipediaSource]):
    """Files with articles; no more of them are read than needed."""

    @property
    def _is_sample(self) -> bool:
        """True unless the settings give another text than the project's own."""
        given = (self.settings.file, self.settings.url, self.settings.shard)
        return all(value is None for value in given)

    def own_files(self) -> Mapping[str, Sequence[Path]]:
        """The user's own files, or the project's."""
        return {base.WHOLE: [_SAMPLE]} if self._is_sample else super().own_files()

    def downloads(self) -> Sequence[Download]:
        """The part of the data set, or the file at the settings' address."""
        if self.settings.shard is None:
            return super().downloads()
        name = f"train-{self.settings.shard:05}-of-{_SHARDS:05}.parquet"
        path = f"20231101.en/{name}"
        return [on_hugging_face(_DATA_SET, _REVISION, path, f"wikipedia-20231101-en-{name}")]

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read articles, in one process, until they have the number of words of the settings."""
        words = 0
        for file in self.files(downloads):
            for article in refuse_none(read_all_articles(file), file):
                if words >= self.settings.words:
                    return
                words += article.text.count(" ") + article.text.count("\n") + bool(article.text)
                yield article

    def describe(self) -> CorpusSource:
        """Describe the sample or the data set; another text by its settings and files."""
        licence = "CC BY-SA 3.0, GFDL"
        if self._is_sample:
            title = "English Wikipedia of May 2014, a sample of 41,771 articles"
            origin = f"{RESOURCES.name}/{_SAMPLE.name}"
            return self._described(title=title, licence=licence, origin=origin)
        if self.settings.shard is None:
            return super().describe()
        title = f"English Wikipedia of 1 November 2023, part {self.settings.shard} of {_SHARDS}"
        return self._described(title=title, licence=licence)
