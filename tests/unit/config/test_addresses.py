"""Tests that no address of a store can have a password, and that no message repeats one."""

import pytest

from online_rnnlm.config import loading
from online_rnnlm.config.addresses import why_no_address
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.stores import store_at
from tests.unit.small_records import configuration

SECRET = "hunter2"
WITH_SECRET = (
    f"http://u:{SECRET}@host",
    f"http://{SECRET}@host",
    f"http://u:a/{SECRET}@host",
    f"http://u:a@{SECRET}@host",
    f"http://host?token={SECRET}",
    f"http://host/#{SECRET}",
    f" http://u:{SECRET}@host",
    f"postgresql://u:{SECRET}@host/db",
    f"postgresql://u:x/{SECRET}@host/db",
    f"postgresql://u@host/db?password={SECRET}",
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


@pytest.mark.parametrize("address", WITH_SECRET)
def test_an_address_that_can_hold_a_secret_is_refused_and_not_repeated(address, tmp_path):
    with pytest.raises(UserError, match=r"`tracking\.store`.*MLFLOW_TRACKING_PASSWORD") as caught:
        loading.parse(configuration(tracking={"store": address}))
    assert SECRET not in str(caught.value)
    with pytest.raises(UserError, match=r"--store.*http://HOST") as caught:
        store_at(ExperimentDirectory(tmp_path), address)
    assert SECRET not in str(caught.value)


def test_a_store_in_memory_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"`tracking\.store`.*would be lost"):
        loading.parse(configuration(tracking={"store": "sqlite:///:memory:"}))
    with pytest.raises(UserError, match=r"--store.*would be lost"):
        store_at(ExperimentDirectory(tmp_path), "sqlite:///:memory:")


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
    for store in (address, ""):  # an empty one is the experiment's own
        found = loading.parse(configuration(tracking={"store": store})).tracking.store
        assert (found or "") == store
