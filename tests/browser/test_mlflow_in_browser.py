"""Tests of `ui`, MLflow's own server as a user starts and ends it, and of its pages in a browser.

The pages answer the questions of docs/mlflow.md.

SCREENSHOTS=FOLDER keeps a screenshot of every page in that folder; RESULTS=FOLDER takes the
screenshots of that experiment. `RESULTS=results/demo SCREENSHOTS=docs/mlflow make test` makes the
screenshots of docs/mlflow.md.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote

import pytest

from online_rnnlm.analysis.claims import write_claims
from online_rnnlm.process.mlflow_library import STORE, mlflow
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.experiments import WHAT_IS_UPDATED, enter_all
from online_rnnlm.tracking.server import HOST, page_of_runs
from online_rnnlm.tracking.store import open_store
from tests.browser.chromium import CHROMIUM, browse
from tests.processes import PATIENCE, answers, free_port, heeding_interrupts, wait_until
from tests.unit.analysis import fake_experiment

BUDGETS = [25_000, 50_000, 100_000, 200_000, 400_000]
"""Milliseconds given to a page; the browser lets them pass faster while nothing is done."""

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own warnings


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> ExperimentDirectory:
    if "RESULTS" in os.environ:
        return ExperimentDirectory(Path(os.environ["RESULTS"]))
    path = tmp_path_factory.mktemp("mlflow") / "invented"
    rows = [{"hidden_size": 100, "document_size": size} for size in (0, 20)]
    described = fake_experiment.experiment(rows=rows, seeds=[1, 2])
    made = fake_experiment.write(path, described)
    write_claims(made)
    made.report.write_text("<h1>What came out</h1>")
    made.summary.write_text("What was found\n")
    for folder in (made.tables, made.figures):
        folder.mkdir()
        (folder / "one.txt").write_text("one")
    return made


@pytest.fixture(scope="module")
def experiment_id(directory: ExperimentDirectory) -> Iterator[str]:
    """MLflow's id of the experiment, which has been entered into its own store."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(STORE, "")
        entered = open_store(directory)
        enter_all(directory, entered)
        yield entered


@pytest.fixture(scope="module")
def interface(
    directory: ExperimentDirectory, experiment_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the server until Ctrl-C, which must end it without an error."""
    port = free_port()
    said = tmp_path_factory.mktemp("ui") / "said"
    command = [sys.executable, "-m", "online_rnnlm", "ui", str(directory.path), "--port", str(port)]
    with said.open("wb") as out:
        process = subprocess.Popen(
            heeding_interrupts(command), stdout=out, stderr=out, start_new_session=True
        )
    address = f"http://{HOST}:{port}/"
    try:
        wait_until(lambda: said.read_text().endswith("\n") or process.poll(), said.read_text)
        assert answers(f"{address}health")  # as soon as the link is printed
        assert f"{address}#/experiments/{experiment_id}/" in said.read_text()
        yield address
    finally:
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert said.read_text().endswith("\nCtrl-C ends it.\n")


def fetch(page: str, **headers: str) -> bytes:
    """Return what a server answers."""
    request = urllib.request.Request(page, headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return bytes(answer.read())


def test_the_interface_serves_the_report_and_refuses_another_name_of_this_machine(
    interface: str, directory: ExperimentDirectory, experiment_id: str
) -> None:
    """A page of another site could reach the server by a name that means this machine."""
    found = mlflow().search_runs([experiment_id], "tags.kind = 'summary'", output_format="list")
    page = f"{interface}get-artifact?path=report.html&run_uuid={found[0].info.run_id}"
    assert fetch(page) == directory.report.read_bytes()
    with pytest.raises(HTTPError) as refused:
        fetch(interface, Host="elsewhere.example")
    with refused.value as answer:
        assert answer.code == 403


def look(
    interface: str, folder: Path, page: str, name: str, awaited: list[str], height: int = 1000
) -> str:
    """Open a page, keep a screenshot of it and return its HTML without scripts.

    A page that does not have all the awaited texts is given more time to be drawn.
    """
    pictures = Path(os.environ.get("SCREENSHOTS", folder)).resolve()
    pictures.mkdir(parents=True, exist_ok=True)
    text = ""
    missing = awaited
    for milliseconds in BUDGETS:
        with suppress(subprocess.TimeoutExpired):
            done = browse(
                interface + page,
                folder / f"{name}-{milliseconds}",
                *(f"--window-size=1900,{height}", f"--virtual-time-budget={milliseconds}"),
                *(f"--screenshot={pictures / f'{name}.png'}", "--dump-dom"),
                seconds=60 + milliseconds / 1000,
            )
            text = re.sub(r"<(script|style).*?</\1>", "", done.stdout, flags=re.DOTALL)
        missing = [words for words in awaited if words not in text]
        if not missing:
            return text
    raise AssertionError(f"{page} does not show {missing} but\n{text}")


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_every_question_has_its_page(interface: str, experiment_id: str, tmp_path: Path) -> None:
    runs = mlflow().search_runs([experiment_id], output_format="list")
    networks = [run for run in runs if run.data.tags["kind"] in ("static", "online")]
    networks.sort(key=lambda run: run.data.metrics["perplexity/test"])
    [summary] = [run for run in runs if run.data.tags["kind"] == "summary"]
    labels = [run.info.run_name for run in networks]
    first = networks[0]
    last = networks[-1]

    training = "workflowType=machine_learning"

    page = page_of_runs(experiment_id)
    text = look(interface, tmp_path, page, "best", [*labels, "perplexity/test_frozen"])
    assert sorted(labels, key=text.index) == labels  # the best first
    assert f">{summary.info.run_name}<" not in text

    page = f"#/experiments/{experiment_id}/runs?viewStateShareKey={WHAT_IS_UPDATED}&{training}"
    look(interface, tmp_path, page, "updated", [f"{labels[0]}: none", "forgotten_at"])

    there = f"#/experiments/{experiment_id}/runs"
    corpus = first.inputs.dataset_inputs[0].dataset.name
    told = [labels[0], "Finished", "learning_rate", "load_model", "identity", corpus]
    look(interface, tmp_path, f"{there}/{first.info.run_id}?{training}", "run", told)
    link = f"get-artifact?path=report.html&amp;run_uuid={summary.info.run_id}"
    told = [link, "What was found" if "RESULTS" not in os.environ else "100/20"]
    look(interface, tmp_path, f"{there}/{summary.info.run_id}?{training}", "summary", told)
    ids = quote(f'["{first.info.run_id}","{last.info.run_id}"]')
    page = f"#/compare-runs?runs={ids}&experiments=[%22{experiment_id}%22]"
    told = ["Comparing 2 Runs", labels[0], labels[-1], "document_size", "perplexity/test"]
    look(interface, tmp_path, page, "compare", told, height=1900)
