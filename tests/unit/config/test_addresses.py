"""Tests that no address of a store can have a password, and that no message repeats one."""

import pytest

from online_rnnlm.config import loading
from online_rnnlm.config.addresses import why_no_address
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.library import without_password
from online_rnnlm.tracking.stores import store_for

SECRET = "hunter2"
WITH_SECRET = (
    f"http://u:{SECRET}@host",
    f"http://{SECRET}@host",
    f"http://u:a/{SECRET}@host",
    f"http://u:a@{SECRET}@host",
    f"http://host?token={SECRET}",
    f"http://host/#{SECRET}",
    f"http://host/;password={SECRET}",
    f" http://u:{SECRET}@host",
    f"postgresql://u:{SECRET}@host/db",
    f"postgresql://u:x/{SECRET}@host/db",
    f"postgresql://u@host/db?password={SECRET}",
    f"postgresql://u@host/db?sslmode=require&password={SECRET}",
    f"postgresql+psycopg2://u:{SECRET}@host/db",
    f"mysql://u:{SECRET}@host/db",
    f"sqlite:///file.db?key={SECRET}",
    f"sqlite:///file.db#{SECRET}",
    f"sqlite:///file\0{SECRET}",
    f"sqlite:///file\n{SECRET}",
    f"sqlite:///{SECRET} ",
    f"ftp://u:{SECRET}@host",
    f"u:{SECRET}@host",
    f"http://[::{SECRET}",
)
VALUES = {
    "experiment": "test",
    "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
    "rows": [{"hidden_size": 10}],
}


@pytest.mark.parametrize("address", WITH_SECRET)
def test_an_address_that_can_hold_a_secret_is_refused_and_not_repeated(address, tmp_path):
    with pytest.raises(UserError, match=r"`tracking\.store`.*MLFLOW_TRACKING_PASSWORD") as caught:
        loading.parse({**VALUES, "tracking": {"store": address}})
    assert SECRET not in str(caught.value)
    with pytest.raises(UserError, match=r"--store.*http://HOST") as caught:
        store_for(ExperimentDirectory(tmp_path), address)
    assert SECRET not in str(caught.value)


def test_a_store_in_memory_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"`tracking\.store`.*would be lost"):
        loading.parse({**VALUES, "tracking": {"store": "sqlite:///:memory:"}})
    with pytest.raises(UserError, match=r"--store.*would be lost"):
        store_for(ExperimentDirectory(tmp_path), "sqlite:///:memory:")


@pytest.mark.parametrize(
    "wrong",
    [
        {"tracking": f"http://u:{SECRET}@host"},
        {"tracking": [f"http://u:{SECRET}@host"]},
        {"tracking": {"store": [f"u:{SECRET}@host"]}},
        {"tracking": {"store": {"url": f"http://u:{SECRET}@host"}}},
        {"tracking": {"stor": f"http://u:{SECRET}@host"}},
        {"traking": {"store": f"http://u:{SECRET}@host"}},
        {"store": f"http://u:{SECRET}@host"},
        {"experiment": f"http://u:{SECRET}@host"},
    ],
)
def test_an_address_at_a_wrong_place_is_not_repeated(wrong):
    with pytest.raises(UserError) as caught:
        loading.parse({**VALUES, **wrong})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:5000",
        "https://mlflow.example.org/team/a",
        "http://127.0.0.1:8080/",
        "http://[::1]:5000",
        "sqlite:///runs.db",
        "sqlite:////home/me@work/C++ {x}/runs.db",
        "postgresql://me@localhost:5432/mlflow",
        "postgresql+psycopg2://localhost/mlflow?sslmode=require&connect_timeout=3",
        "postgresql:///mlflow?host=/var/run/postgresql",
    ],
)
def test_an_address_without_a_password_is_right(address):
    assert why_no_address(address) is None
    assert loading.parse({**VALUES, "tracking": {"store": address}}).tracking.store == address


def test_an_empty_store_is_the_experiments_own(tmp_path):
    assert not loading.parse({**VALUES, "tracking": {"store": ""}}).tracking.store
    assert store_for(ExperimentDirectory(tmp_path), None).own


def test_the_password_of_a_proxy_is_taken_out_of_errors():
    said = f"cannot connect to http://u:a/b@{SECRET}@proxy:80 at all"
    assert without_password(said) == "cannot connect to http://***@proxy:80 at all"
