"""Tests in a real browser that MLflow's interface answers the questions listed in docs/mlflow.md.

SCREENSHOTS=FOLDER keeps a screenshot of every page in that folder; RESULTS=FOLDER takes the
screenshots of that experiment. `RESULTS=results/demo SCREENSHOTS=docs/mlflow make test` makes the
screenshots of docs/mlflow.md.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from online_rnnlm.tracking.stores import ENVIRONMENT
from online_rnnlm.tracking.synchronisation import Entered, synchronise

from online_rnnlm.analysis.verdicts import write_claims
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking import views
from online_rnnlm.tracking.entries import Entry
from online_rnnlm.tracking.server import address, ui_command
from tests.browser.chromium import CHROMIUM, browse
from tests.unit.analysis import fake_experiment
from tests.waiting import answers, free_port, wait_until

BUDGETS = [25_000, 50_000, 100_000, 200_000, 400_000]
"""Milliseconds given to a page; the browser lets them pass faster while nothing is done."""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> ExperimentDirectory:
    if "RESULTS" in os.environ:
        return ExperimentDirectory(Path(os.environ["RESULTS"]))
    path = tmp_path_factory.mktemp("mlflow") / "invented"
    rows = [{"hidden_size": 100, "document_size": size} for size in (0, 20)]
    described = fake_experiment.experiment(rows=rows, seeds=[1, 2])
    made = fake_experiment.write(path, described)
    write_claims(described, made)
    made.report.write_text("<h1>What came out</h1>")
    return made


@pytest.fixture(scope="module")
def entered(directory: ExperimentDirectory) -> Entered:
    return synchronise(directory)


@pytest.fixture(scope="module")
def interface(directory: ExperimentDirectory, entered: Entered) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        ui_command(directory, port),
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(f"{address(port)}/health"), "MLflow's server")
        yield f"{address(port)}/"
    finally:
        process.terminate()
        process.wait(60)


def look(interface: str, folder: Path, page: str, name: str, awaited: list[str]) -> str:
    """Open a page, keep a screenshot of it and return its visible text.

    A page that does not have all the awaited texts is given more time to be drawn.
    """
    pictures = Path(os.environ.get("SCREENSHOTS", folder)).resolve()
    pictures.mkdir(parents=True, exist_ok=True)
    text, missing = "", awaited
    for milliseconds in BUDGETS:
        with suppress(subprocess.TimeoutExpired):
            done = browse(
                interface + page,
                folder / f"{name}-{milliseconds}",
                *("--window-size=1900,1000", f"--virtual-time-budget={milliseconds}"),
                *(f"--screenshot={pictures / f'{name}.png'}", "--dump-dom"),
                seconds=60 + milliseconds / 1000,
            )
            text = re.sub(r"<(script|style).*?</\1>|<[^>]*>", "\n", done.stdout, flags=re.DOTALL)
        missing = [words for words in awaited if words not in text]
        if not missing:
            return text
    raise AssertionError(f"{page} does not show {missing} but\n{text}")


def perplexity(entry: Entry) -> float:
    return {key: value for key, value, _, _ in entry.final}["test_perplexity"]


@pytest.mark.parametrize("view", [views.BEST, views.NETWORKS])
def test_a_view_shows_its_entries_the_best_first(
    interface: str, entered: Entered, tmp_path: Path, view: str
) -> None:
    [experiment] = entered.experiments.values()
    shown = [one for one in entered.entries if one.kind in ("online", "static")]
    shown.sort(key=perplexity)
    best = f"{round(perplexity(shown[0]), 2)}"
    columns = ["test_perplexity_frozen", "testing/multiply_adds_per_word"]
    labels = [one.label for one in shown]
    page = views.page(experiment, view)
    name = views.VIEWS[view][0]
    text = look(interface, tmp_path, page, name, [*labels, best, *columns])
    if view == views.NETWORKS:
        groups = [f"Group: {name}" for name in dict.fromkeys(one.tags["network"] for one in shown)]
        assert sorted(groups, key=text.index) == groups
    else:
        assert sorted(labels, key=text.index) == labels
    others = {one.label for one in entered.entries} - {*labels}
    table = text.split("matching runs")[0].split("Run Name")[-1]
    assert not [label for label in others if label in table]


def test_every_question_has_its_page(
    interface: str, entered: Entered, directory: ExperimentDirectory, tmp_path: Path
) -> None:
    [(corpus, experiment)] = entered.experiments.items()
    first, run = [
        next(one for one in entered.entries if one.kind == k) for k in ("static", "online")
    ]
    ids = quote(str([entered.runs[one.name] for one in (first, run)]).replace("'", '"'))
    there = f"#/experiments/{experiment}/runs"
    mode, training = quote(views.COMPARED), "workflowType=machine_learning"
    pages = {
        "curves": (
            f"{there}?compareRunsMode=CHART&searchFilter={mode}&{training}",
            ["epoch/valid_perplexity", "epoch/train_perplexity"],
        ),
        "compare": (
            f"#/compare-runs?runs={ids}&experiments=[%22{experiment}%22]",
            ["Comparing 2 Runs", first.label, run.label, "document_size"],
        ),
        "run": (
            f"{there}/{entered.runs[run.name]}?{training}",
            [
                run.label,
                "Finished",
                f"{corpus} train (",
                run.tags["host"],
                "learning_rate",
                "frozen",
            ],
        ),
        "system": (f"{there}/{entered.runs[run.name]}/system-metrics?{training}", ["(2)"]),
        "model": (f"#/models/{directory.path.resolve().name}-{corpus}", ["best"]),
    }
    for name, (page, awaited) in pages.items():
        look(interface, tmp_path, page, name, awaited)
