"""Tests of models that are named by their addresses in MLflow."""

import shutil

import pytest

import online_rnnlm
from online_rnnlm.process.mlflow_library import mlflow
from online_rnnlm.tracking.model import log_model
from online_rnnlm.use.places import read_run

pytestmark = [
    pytest.mark.slow,  # a training, and a store of MLflow's
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]


@pytest.fixture(scope="module")
def store(results, names, tmp_path_factory):
    """A store with a run's model, and one whose files are gone."""
    folder = tmp_path_factory.mktemp("store")
    address = f"sqlite:///{folder / 'mlflow.db'}"
    library = mlflow()
    library.set_tracking_uri(address)
    experiment = library.create_experiment("some", (folder / "artifacts").as_uri())
    for _ in range(2):
        with library.start_run(experiment_id=experiment) as run:
            log_model(read_run(results, names.VECTOR))
        library.register_model(f"runs:/{run.info.run_id}/model", "small")
    [second] = library.get_run(run.info.run_id).outputs.model_outputs
    model = library.get_logged_model(second.model_id)
    shutil.rmtree(model.artifact_location.removeprefix("file://"))
    library.MlflowClient().set_registered_model_alias("small", "best", "1")
    return address


@pytest.fixture
def chosen(store, monkeypatch):
    mlflow().set_tracking_uri(None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    return store


def test_a_registered_model_is_the_model_of_its_file(chosen, trained, trained_path, run):
    found = online_rnnlm.load("models:/small@best")
    texts = ["The cat sees the hen.", "The ship meets the zeppelin. It runs."]
    assert found.score(texts).equals(trained.score(texts))
    assert found.description == trained.description
    out = run("score", "--model", "models:/small@best", text="\n".join(texts)).out
    assert out == run("score", "--model", trained_path, text="\n".join(texts)).out
    assert "3 sentences, " in out


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("models:/other@best", "name=other not found"),
        ("models:/small@worst", "alias worst not found"),
        ("models:/small/2", "models:/small/2"),
        ("runs:/" + "0" * 32 + "/model", "MLflow at "),
    ],
)
def test_an_address_of_no_model_is_one_line(chosen, refused, address, expected):
    assert expected in refused("info", address)
