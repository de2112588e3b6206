"""The preparation of a corpus by all of its stages, as the workflow's rules do it."""

from collections.abc import Mapping
from pathlib import Path

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.stages import run_stage
from online_rnnlm.storage.paths import CorpusDirectory


def run_stages(
    settings: CorpusSettings,
    directory: CorpusDirectory,
    downloads: Path,
    processes: int = 1,
    other_texts: Mapping[str, Path] | None = None,
) -> None:
    """Run all stages of a corpus; a ready text skips two."""
    ready = source_of(settings.source).skips_sentences
    for stage in ("fetch", "encode") if ready else ("fetch", "articles", "sentences", "encode"):
        run_stage(stage, settings, directory, downloads, processes, other_texts or {})
