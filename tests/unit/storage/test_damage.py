"""Tests that a file which was damaged or edited ends its reader with a line that names it."""

import shutil

import pytest

from online_rnnlm.config import testing as typed
from online_rnnlm.config.rivals import CorpusRival
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.errors import UserError
from online_rnnlm.jobs.evaluation import evaluate_corpus_rival
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import Evaluation, token_scores
from online_rnnlm.storage.paths import ExperimentDirectory

RIVAL = "topics-kneser_ney2"
DAMAGES = {
    "edited": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory, corpus_directory):
    """The results of an experiment with a corpus and a rival of it."""
    made = ExperimentDirectory(tmp_path_factory.mktemp("results"))
    shutil.copytree(corpus_directory.path, made.corpus("topics").path)
    testing = typed.TestingSettings(kneser_ney_order=2)
    rival = testing.rivals_by_name["kneser_ney"]
    trained = CorpusRival(kind="kneser_ney", rival=rival, corpus="topics", corpus_folder="topics")
    evaluate_corpus_rival(made, trained, testing)
    return made


def _read(results):
    load_corpus(results.corpus("topics"))
    records.read(Evaluation, results.evaluation(RIVAL, "none"))
    for split in ("valid", "test"):
        token_scores(results, RIVAL, "none", split)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_of_a_corpus_or_an_evaluation_is_named(results, damage):
    _read(results)
    kinds = {".json", ".npy", ".tsv"}
    files = [file for file in results.path.rglob("*") if file.suffix in kinds]
    read_elsewhere = {"source.json", "splitter.json"}
    files = [file for file in files if file.name not in read_elsewhere]
    assert len(files) > 11
    for file in files:
        content = file.read_bytes()
        file.write_bytes(DAMAGES[damage](content))
        with pytest.raises(UserError) as error:
            _read(results)
        assert str(error.value).startswith(f"{file}: ")
        assert "delete it" in str(error.value)
        file.write_bytes(content)
