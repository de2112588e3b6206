"""Tests that a model in MLflow gives the evaluations' scores, there and elsewhere."""

import json
import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from online_rnnlm.jobs.evaluation import evaluate_run
from online_rnnlm.process.mlflow_library import mlflow
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.model import REQUIREMENTS, log_model
from online_rnnlm.use.places import read_run
from tests.packages import environment_with, with_what_they_need
from tests.processes import output_of
from tests.unit.small_models import (
    ADAPTATIONS,
    RATE,
    STEPS,
    rates_of,
    sentence_table,
    write_untrained_run,
)
from tests.unit.small_records import NO_DIGITS

pytestmark = [
    pytest.mark.slow,  # MLflow loads models in processes of their own
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]

EVALUATIONS = {
    "none": {"updates": "none"},
    "document_vector": {},
    "all.word.sentence": {"updates": "all", "steps": STEPS, "learning_rate": RATE},
    "document_vector.5.stream": {
        "updates": "document_vector",
        "learn_after": "5",
        "learning_rate": RATE,
        "unit_of_text": "stream",
    },
}
# Loads the model in a folder, and prints its scores and the code that it uses.
ELSEWHERE = """
import json, sys, warnings
import mlflow.pyfunc
warnings.simplefilter("error")
model = mlflow.pyfunc.load_model(sys.argv[1])
sentences = json.loads(sys.stdin.read())
found = {
    updates: model.predict(sentences, params={"updates": updates})["log_probability"].tolist()
    for updates in ("none", "document_vector")
}
print(json.dumps([sys.modules["online_rnnlm"].__file__, found]))
"""


@pytest.fixture(scope="module")
def experiment(corpus_directory, tmp_path_factory) -> ExperimentDirectory:
    """An experiment with a run and evaluations of all kinds."""
    directory = ExperimentDirectory(tmp_path_factory.mktemp("served") / "experiment")
    write_untrained_run(directory, corpus_directory)
    source = {"kind": "text", "file": "some.txt"}
    rows = [{"hidden_size": 10}]
    corpora = {"topics": {"source": source}}
    configured = {"experiment": "x", "corpora": corpora, "rows": rows, "digits": NO_DIGITS}
    write_json(directory.configuration, configured)
    for evaluation in EVALUATIONS:
        adaptation = ADAPTATIONS[evaluation]
        evaluate_run(directory, "run", adaptation, rates_of(adaptation))
    return directory


@pytest.fixture(scope="module")
def folder(experiment, tmp_path_factory) -> Path:
    """The folder of the model as MLflow gives it to a user."""
    place = tmp_path_factory.mktemp("models")
    library = mlflow()
    library.set_tracking_uri(f"sqlite:///{place}/mlflow.db")
    made = library.create_experiment("some", (place / "artifacts").as_uri())
    with library.start_run(experiment_id=made) as run:
        log_model(read_run(experiment, "run"))
    address = f"runs:/{run.info.run_id}/model"
    return Path(library.artifacts.download_artifacts(artifact_uri=address, dst_path=str(place)))


@pytest.fixture(scope="module")
def model(folder):
    before = sys.path
    try:
        return mlflow().pyfunc.load_model(str(folder))
    finally:
        sys.path = before  # the model has put its copy of the package first


def sentences(experiment) -> pd.DataFrame:
    """Return the test sentences with their words that are not in the vocabulary."""
    text = experiment.corpus("topics").tokens("test").read_text(encoding="utf-8")
    return pd.DataFrame({"sentence": text.splitlines()})


@pytest.mark.parametrize("evaluation", EVALUATIONS)
def test_scores_are_those_of_the_evaluation(experiment, model, evaluation):
    expected = sentence_table(experiment, "run", evaluation)
    assert expected["unknown"].sum() > 0
    found = model.predict(sentences(experiment), params=EVALUATIONS[evaluation])
    np.testing.assert_allclose(found["log_probability"], expected["log_probability"], rtol=1e-6)
    assert found["tokens"].tolist() == expected["tokens"].tolist()
    tokens = np.concatenate(found["token_log_probabilities"].tolist())
    exact = np.load(experiment.token_scores("run", evaluation))
    np.testing.assert_array_equal(tokens.astype(np.float32), exact)


def test_every_row_has_an_answer(model):
    """Empty sentences are answered; other columns and equal labels of rows are no matter."""
    texts = ["the cat sees the zebra", "  the cat  sees the\t<unk>\r\n", "", "\n"]
    found = model.predict(pd.DataFrame({"sentence": texts, "more": 1}, index=[7] * len(texts)))
    assert found.index.tolist() == [7] * len(texts)
    assert found["tokens"].tolist() == [6, 6, 0, 0]
    logs = found["token_log_probabilities"].tolist()
    assert logs[0] == logs[1] and logs[2] == logs[3] == []
    assert found["log_probability"].iloc[0] == pytest.approx(sum(logs[0]))
    empty = model.predict(pd.DataFrame({"sentence": []}))
    assert list(empty) == list(found) and len(empty) == 0


TEXTS = ["the cat sees the milk", "", "the king"]
ROWS = [{"sentence": text} for text in TEXTS]
FORMS = [
    {"dataframe_split": {"columns": ["sentence"], "data": [[text] for text in TEXTS]}},
    {"instances": ROWS},
    {"inputs": TEXTS},
]


def answer(model, request):
    """Return what a server that MLflow runs answers to a request."""
    from mlflow.pyfunc import scoring_server  # noqa: PLC0415  # it warns when it is imported

    schema = model.metadata.get_input_schema()
    said = scoring_server.invocations(json.dumps(request), "application/json", model, schema)
    return json.loads(said.response)["predictions"]


@pytest.mark.parametrize("asked", FORMS, ids=str)
def test_a_server_takes_every_form_of_request(model, asked):
    params = {"updates": "all", "learning_rate": 0.1, "unit_of_text": "stream"}
    learnt = model.predict(pd.DataFrame({"sentence": TEXTS}), params=params).to_dict("records")
    assert answer(model, asked | {"params": params}) == learnt


def test_a_list_of_no_or_one_sentence_is_a_list(model):
    assert answer(model, {"inputs": []}) == []
    for one in (["the cat"], {"sentence": "the cat"}):
        assert [row["tokens"] for row in answer(model, {"inputs": one})] == [3]


@pytest.mark.parametrize(
    ("texts", "params", "message"),
    [
        (["x", None], {}, "`sentence` in row 1: text is needed, not "),
        (["the cat", "a </s> b"], {}, "`sentence` in row 1: `</s>` is reserved"),
        (["x"], {"updates": "embedings"}, "embeddings, recurrent, output joined by `+`"),
        (["x"], {"learning_rate": "fast"}, "learning_rate"),
        (["the cat sees the milk"] * 9, {"updates": "all", "learning_rate": 1e5}, "diverged"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(model, texts, params, message):
    with pytest.raises(mlflow().exceptions.MlflowException) as raised:
        model.predict(pd.DataFrame({"sentence": texts}), params=params)
    assert message in raised.value.message and "\n" not in raised.value.message
    assert raised.value.error_code == "INVALID_PARAMETER_VALUE"


def test_it_works_elsewhere_without_the_project(experiment, folder, tmp_path):
    """A copy of the model works in an environment that has its own requirements alone."""
    pins = dict(line.split("==") for line in (folder / "requirements.txt").read_text().split())
    assert pins == {package: version(package) for package in REQUIREMENTS}
    programs = environment_with(with_what_they_need(pins), tmp_path / "environment")
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    given = json.dumps(sentences(experiment).to_dict("records"))
    # So few sentences are sooner scored by plain Python than kernels compiled for another place.
    process = output_of(
        [programs / "python", "-I", "-c", ELSEWHERE, copy],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        | {"NUMBA_DISABLE_JIT": "1"},
        input=given,
    )
    assert process.returncode == 0 and process.stderr.count("\n") == 1
    assert "The kernels are compiled" in process.stderr
    package, found = json.loads(process.stdout)
    assert Path(package).is_relative_to(copy)
    for evaluation, logs in found.items():
        expected = sentence_table(experiment, "run", evaluation)["log_probability"]
        assert logs == pytest.approx(expected.tolist(), rel=1e-5)
