"""Tests of models that are named by their addresses in MLflow."""

import shutil

import pytest

import online_rnnlm
from online_rnnlm.tracking.models import save_model
from online_rnnlm.tracking.stores import mlflow

pytestmark = [
    pytest.mark.slow,  # a training, and a store of MLflow's
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]


@pytest.fixture(scope="module")
def store(results, names, tmp_path_factory):
    """A store with a run's model, one without a description, and one whose files are gone."""
    folder = tmp_path_factory.mktemp("store")
    address = f"sqlite:///{folder / 'mlflow.db'}"
    client = mlflow().MlflowClient(tracking_uri=address, registry_uri=address)
    experiment = client.create_experiment("some", artifact_location=str(folder / "artifacts"))
    client.create_registered_model("small")
    save_model(results, names.VECTOR, folder / "model")
    for place in (folder / "model", folder / "bare", folder / "gone"):
        if place.name != "model":
            place.mkdir()
            (place / "MLmodel").write_text((folder / "model" / "MLmodel").read_text())
        run = client.create_run(experiment).info.run_id
        logged = client.create_logged_model(experiment, name="model", source_run_id=run)
        client.log_model_artifacts(logged.model_id, str(place))
        client.finalize_logged_model(logged.model_id, "READY")
        client.create_model_version("small", logged.artifact_location, run)
        if place.name == "gone":
            shutil.rmtree(logged.artifact_location.removeprefix("file://"))
    client.set_registered_model_alias("small", "best", "1")
    return address


@pytest.fixture
def chosen(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    mlflow().set_tracking_uri(None)
    mlflow().set_registry_uri(None)
    return store


def test_a_registered_model_is_the_model_of_its_file(chosen, trained, run):
    found = online_rnnlm.load("models:/small@best")
    texts = ["The cat sees the hen.", "The ship meets the zeppelin."]
    assert found.score(texts).equals(trained.score(texts))
    assert found.description == trained.description
    out = run("score", "models:/small@best", text="\n".join(texts)).out
    assert "the ship meets the [zeppelin] ." in out


def test_raw_text_is_divided_as_by_the_run_itself(chosen, trained_path, run):
    text = "The cat sees the hen. It runs."
    found = run("score", "models:/small@best", text=text).out
    assert found == run("score", trained_path, text=text).out
    assert "2 sentences, 9 words" in found


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("models:/other@best", "models:/other@best: "),
        ("models:/small@worst", "models:/small@worst: "),
        ("models:/small/2", "models:/small/2: has no `model.onlm`"),
        ("models:/small/3", "models:/small/3: has no `model.onlm`"),
        ("runs:/" + "0" * 32 + "/model", "MLflow at "),
    ],
)
def test_an_address_of_no_model_is_one_line(chosen, refused, address, expected):
    assert expected in refused("info", address)
