"""The topics of a corpus's sentences, which are those of their articles."""

from __future__ import annotations

from online_rnnlm.corpora.articles import read_all_articles
from online_rnnlm.corpora.corpus import load_split, read_statistics
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import CorpusDirectory


def topics_of(directory: CorpusDirectory, split: str) -> list[str] | None:
    """The topic of every sentence of a split, in order; "" if its article has none.

    None if the corpus has no topics, or no articles, as is the case with ready files.
    Raises UserError if the corpus is not completely prepared, or is damaged.
    """
    # The statistics decide, not the existence of the file: a source used before may have left it.
    if read_statistics(directory).articles is None:
        return None
    topics = [article.topic or "" for article in read_all_articles(directory.articles)]
    if not any(topics):
        return None
    articles = load_split(directory, split).articles
    if articles.max(initial=0) >= len(topics):
        raise UserError(f"{directory.split_articles(split)}: does not fit {directory.articles}")
    return [topics[number] for number in articles]
