"""The texts that are measured: prepared ones, a user's own, and random words.

The libraries that divide text take seconds to import, so what needs them imports them by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from online_rnnlm.config.corpora import ClassSettings, CorpusSettings
from online_rnnlm.config.experiment import load
from online_rnnlm.corpora.corpus import Corpus, load_corpus
from online_rnnlm.corpora.planning import sums_of
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.stages import run_stage
from online_rnnlm.storage.files import sha256_of
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory

REFERENCE_TRAIN = "6e524fef3eddd0e1bc1d0901ed48f58779bb694810a56a2b5d875ba9e91caad1"
"""sha256 of the training text of the reference split, to which the target perplexities belong."""
PAPER = Path("config/paper.yaml")
SENTENCE_WORDS = 24
HELD_OUT_SENTENCES = 2000
SENTENCES_A_DOCUMENT = 20


class Text(NamedTuple):
    """A prepared corpus, with its folder."""

    directory: CorpusDirectory
    corpus: Corpus

    @property
    def name(self) -> str:
        """The corpus's name, that of its folder."""
        return self.directory.path.name

    @property
    def is_reference(self) -> bool:
        """True for the text that the target perplexities belong to."""
        train = self.directory.text("train")
        return train.is_file() and sha256_of(train) == REFERENCE_TRAIN


def open_text(directory: CorpusDirectory) -> Text:
    """Load a prepared corpus; raises UserError if that is not possible."""
    return Text(directory, load_corpus(directory))


def prepare(files: Mapping[str, Path], path: Path, like: CorpusSettings) -> CorpusDirectory:
    """Prepare three files of ready text, with the vocabulary and classes of another corpus."""
    source = {"kind": "text", "tokenised": True, **files}
    values = {"source": source, "vocabulary": like.vocabulary, "classes": like.classes}
    directory = CorpusDirectory(path)
    run_stages(CorpusSettings.model_validate(values), directory, path)
    return directory


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


def paper_text(folder: Path) -> Text:
    """Prepare the text of `make paper`, which comes with the project; a minute the first time."""
    name, settings = next(iter(load(PAPER).corpora.items()))
    directory = CorpusDirectory(folder / name)
    if not directory.statistics.is_file():
        run_stages(settings, directory, directory.path)
    return open_text(directory)


def random_text(
    folder: Path, tokens: int, vocabulary: int, classes: ClassSettings
) -> CorpusDirectory:
    """Prepare random sentences in which the probability of word k is proportional to 1 / k.

    So are, nearly, the frequencies of real text. Every word occurs if the text is long enough.
    """
    path = folder / f"random-{tokens}-{vocabulary}"
    if path.is_dir():
        return CorpusDirectory(path)
    sizes = (tokens, *[min(tokens, HELD_OUT_SENTENCES * SENTENCE_WORDS)] * 2)
    files = {split: folder / f"{path.name}-{split}.txt" for split in SPLITS}
    chances = np.cumsum(1.0 / np.arange(1, vocabulary + 1))
    names = [f"w{number}" for number in range(vocabulary)]
    for seed, (file, size) in enumerate(zip(files.values(), sizes, strict=True)):
        random = np.random.default_rng(seed)
        drawn = random.random(size) * chances[-1]
        words = np.searchsorted(chances, drawn, side="right")
        every = min(vocabulary, size)
        words[random.permutation(size)[:every]] = np.arange(every)
        with file.open("w", encoding="utf-8") as lines:
            for begin in range(0, size, SENTENCE_WORDS):
                sentence = words[begin : begin + SENTENCE_WORDS].tolist()
                lines.write(" ".join([names[word] for word in sentence]) + "\n")
    like = {"source": {"kind": "wikipedia-vital"}, "vocabulary": {"min_count": 1}}
    return prepare(files, path, CorpusSettings.model_validate({**like, "classes": classes}))


def in_documents(corpus: Corpus, sentences: int) -> Corpus:
    """Return the first training sentences only, in documents of equal numbers of sentences."""
    split = corpus.splits["train"]
    number = min(sentences, split.sentences)
    offsets = split.offsets[: number + 1]
    articles = (np.arange(number) // SENTENCES_A_DOCUMENT).astype(np.int32)
    stream = np.array(split.stream[: offsets[-1] + 1])
    few = replace(split, stream=stream, offsets=offsets, articles=articles)
    return replace(corpus, splits={**corpus.splits, "train": few})
