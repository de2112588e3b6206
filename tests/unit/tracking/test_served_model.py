"""Tests that a run served as an MLflow model gives the evaluations' scores everywhere."""

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from online_rnnlm.jobs.evaluate import evaluate
from online_rnnlm.storage import records
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunResult
from online_rnnlm.tracking import models
from online_rnnlm.tracking.stores import mlflow
from tests.unit import small_models as small
from tests.unit.processes import output_of
from tests.unit.small_models import RATE, STEPS, rates_of, write_untrained_run
from tests.unit.tracking.invented import STATIC

pytestmark = [
    pytest.mark.slow,  # MLflow loads models in processes of their own
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]

LEARNING = {"learning_rate": RATE, "steps": STEPS}
STREAM = {"unit_of_text": "stream"}
EVALUATIONS = {
    "none": {"updates": "none"},
    "document_vector": {"updates": "document_vector"},
    "all.word.sentence": {"updates": "all", **LEARNING},
    "all.sentence.stream": {"updates": "all", "learn_after": "sentence", **LEARNING, **STREAM},
    "document_vector+output.word.stream": {
        "updates": "output+document_vector", **LEARNING, **STREAM,
    },
    "document_vector.word.stream": {"updates": "document_vector", "learning_rate": RATE, **STREAM},
    "document_vector.5.stream": {
        **{"updates": "document_vector", "learn_after": "5", "learning_rate": RATE}, **STREAM,
    },
}  # fmt: skip
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
modules = ("online_rnnlm", "online_rnnlm.core.engines.kernels.batches")
files = [sys.modules[module].__file__ for module in modules]
print(json.dumps([files, found]))
"""


def load(path: Path):
    before = sys.path
    try:
        return mlflow().pyfunc.load_model(str(path))
    finally:
        sys.path = before  # the model has put its copy of the package first


@pytest.fixture(scope="module")
def experiment(corpus_directory, tmp_path_factory) -> ExperimentDirectory:
    """An experiment with a run and evaluations of all kinds."""
    directory = ExperimentDirectory(tmp_path_factory.mktemp("served") / "experiment")
    write_untrained_run(directory, corpus_directory)
    source = {"kind": "text", "file": "some.txt"}
    rows = [{"hidden_size": 10}]
    configured = {"experiment": "x", "corpora": {"topics": {"source": source}}, "rows": rows}
    write_json(directory.configuration, configured)
    for evaluation in EVALUATIONS:
        corpus = directory.corpus("topics")
        evaluate(directory, "run", corpus, small.evaluation_named(evaluation), rates_of(evaluation))
    return directory


@pytest.fixture(scope="module")
def folder(experiment, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model"
    models.save_model(experiment, "run", path)
    return path


@pytest.fixture(scope="module")
def model(folder):
    return load(folder)


def sentences(experiment) -> pd.DataFrame:
    """Return the test sentences with their words that are not in the vocabulary."""
    text = experiment.corpus("topics").tokens("test").read_text(encoding="utf-8")
    return pd.DataFrame({"sentence": text.splitlines()})


def scored(experiment, evaluation) -> pd.DataFrame:
    table = pd.read_parquet(experiment.sentence_scores("run", evaluation))
    return table[table["split"] == "test"]


@pytest.mark.parametrize("evaluation", EVALUATIONS)
def test_scores_are_those_of_the_evaluation(experiment, model, evaluation):
    expected = scored(experiment, evaluation)
    assert expected["unk_tokens"].sum() > 0
    found = model.predict(sentences(experiment), params=EVALUATIONS[evaluation])
    assert found["log_probability"].tolist() == expected["log_probability"].tolist()
    assert found["tokens"].tolist() == expected["tokens"].tolist()
    tokens = np.concatenate(found["token_log_probabilities"].tolist())
    exact = np.load(experiment.token_scores("run", evaluation))
    np.testing.assert_array_equal(tokens.astype(np.float32), exact)
    if evaluation == "document_vector":  # the run's own test, at the rate of its training
        for params in ({}, {"updates": "document_vector", "learning_rate": 0.15}):
            same = model.predict(sentences(experiment), params=params)
            pd.testing.assert_frame_equal(same, found, check_exact=True)


def test_a_document_is_a_call_of_its_own(experiment, model):
    """With `stream`, learning continues within a call and is forgotten before the next."""
    params, frame = EVALUATIONS["document_vector+output.word.stream"], sentences(experiment)
    whole, first, rest, again = (
        model.predict(part, params=params) for part in (frame, frame[:20], frame[20:], frame[20:])
    )
    logs = whole["log_probability"].tolist()
    assert first["log_probability"].tolist() == logs[:20]
    assert rest["log_probability"].tolist() != logs[20:]
    assert rest.index.tolist() == frame.index[20:].tolist()
    pd.testing.assert_frame_equal(again, rest, check_exact=True)


def test_every_row_has_an_answer(model):
    """Empty sentences are answered; other columns and equal labels of rows are no matter."""
    texts = ["the cat sees the zebra", "  the cat  sees the\t<unk>\r\n", "", "\n", "the " * 20_000]
    found = model.predict(pd.DataFrame({"sentence": texts, "more": 1}, index=[7] * len(texts)))
    assert found.index.tolist() == [7] * len(texts)
    assert found["tokens"].tolist() == [6, 6, 0, 0, 20_001]
    logs = found["token_log_probabilities"].tolist()
    assert logs[0] == logs[1] and logs[2] == logs[3] == []
    assert found["log_probability"].iloc[0] == pytest.approx(sum(logs[0]))
    empty = model.predict(pd.DataFrame({"sentence": []}))
    assert list(empty) == list(found) and len(empty) == 0


TEXTS = ["the cat sees the milk", "", "the king"]


def answer(model, request):
    """Return what a server that MLflow runs answers to a request."""
    from mlflow.pyfunc import scoring_server  # noqa: PLC0415  # it warns when it is imported

    schema = model.metadata.get_input_schema()
    said = scoring_server.invocations(json.dumps(request), "application/json", model, schema)
    return json.loads(said.response)["predictions"]


ROWS = [{"sentence": text} for text in TEXTS]
FORMS = [
    {"dataframe_split": {"columns": ["sentence"], "data": [[text] for text in TEXTS]}},
    *({"dataframe_records": ROWS}, {"instances": ROWS}, {"instances": TEXTS}),
    *({"inputs": TEXTS}, {"inputs": {"sentence": TEXTS}}),
]


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
        *((["x", v], {}, "`sentence` in row 1: text is needed, not ") for v in (None, b"x")),
        (["the cat", "a </s> b"], {}, "`sentence` in row 1: `</s>` is reserved"),
        (["x"], {"updates": "embedings"}, "embeddings, recurrent, output joined by `+`"),
        (["x"], {"learning_rate": "fast"}, "learning_rate"),
        *(
            (["the cat sees the milk"] * 9, {"updates": updates, "learning_rate": 1e5}, "diverged")
            for updates in ("all", "document_vector")
        ),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(model, texts, params, message):
    with pytest.raises(MlflowException) as raised:
        model.predict(pd.DataFrame({"sentence": texts}), params=params)
    assert message in raised.value.message and "\n" not in raised.value.message
    assert raised.value.error_code == "INVALID_PARAMETER_VALUE"
    if not isinstance(texts[-1], (bytes, float)):
        with pytest.raises(MlflowException) as raised:
            answer(model, {"inputs": texts, "params": params})
        assert message in raised.value.message


def test_a_static_model_learns_nothing_by_itself(directory, tmp_path):
    models.save_model(directory, STATIC, tmp_path / "model")
    static = load(tmp_path / "model")
    frame = pd.DataFrame({"sentence": ["invented1 invented2", "invented3"]})
    still = static.predict(frame)
    params = {"updates": "none"}
    pd.testing.assert_frame_equal(static.predict(frame, params=params), still, check_exact=True)
    with pytest.raises(MlflowException, match="one or more of embeddings, recurrent, output"):
        static.predict(frame, params={"updates": "document_vector"})


def test_the_models_description(experiment, folder, model):
    found = model.predict(model.input_example)
    assert list(found) == model.metadata.get_output_schema().input_names()
    assert np.isfinite(found["log_probability"]).all()
    defaults = {param.name: param.default for param in model.metadata.get_params_schema()}
    names = ("updates", "learn_after", "unit_of_text", "learning_rate", "steps")
    assert defaults == dict.fromkeys(names)
    expected = records.read(RunResult, experiment.run("run").result).identity
    assert model.metadata.metadata == {"run": "run", "identity": expected}
    pins = dict(line.split("==") for line in (folder / "requirements.txt").read_text().split())
    assert pins == {package: version(package) for package in models.REQUIREMENTS}


@pytest.fixture(scope="module")
def bare_python(folder, tmp_path_factory) -> Path:
    """The Python of an environment that has only a model's requirements."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    python = place / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    options = ["--no-compile", "--disable-pip-version-check", "--no-input"]
    requirements = folder / "requirements.txt"
    subprocess.run([*command, *options, "--requirement", str(requirements)], check=True)
    return python


def test_it_works_elsewhere_without_the_project(experiment, folder, bare_python, tmp_path):
    """The model works in another process, and as a copy with only its own requirements."""
    shutil.copytree(folder, tmp_path / "copy")
    for python, place in ((sys.executable, folder), (bare_python, tmp_path / "copy")):
        files, found = elsewhere(python, place, sentences(experiment))
        for evaluation, logs in found.items():
            assert logs == scored(experiment, evaluation)["log_probability"].tolist()
        package, kernels = map(Path, files)
        assert kernels.is_relative_to(package.parent)
        assert not package.is_relative_to(Path(models.__file__).parents[1])
        assert not package.exists()  # it was unpacked for that process


def elsewhere(python, model, frame):
    """Run `ELSEWHERE`, which must print nothing else; return its output."""
    # Without this process's settings of MLflow and the path of the project.
    hushed = ("PYTHONPATH", "MLFLOW_LOGGING_LEVEL")
    environment = {key: value for key, value in os.environ.items() if key not in hushed}
    given, command = json.dumps(frame.to_dict("records")), [python, "-I", "-c", ELSEWHERE, model]
    process = output_of(command, cwd=model.parent, env=environment, input=given)
    assert (process.returncode, process.stderr) == (0, "")
    return json.loads(process.stdout)
