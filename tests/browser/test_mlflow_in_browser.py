"""Tests in a real browser that MLflow's interface answers the questions listed in docs/mlflow.md.

SCREENSHOTS=FOLDER keeps a screenshot of every page in that folder; RESULTS=FOLDER takes the
screenshots of that experiment. `RESULTS=results/demo SCREENSHOTS=docs/mlflow make test` makes the
screenshots of docs/mlflow.md.
"""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.error import HTTPError
from urllib.parse import quote

import pytest

from online_rnnlm.analysis.claims.write import write_claims
from online_rnnlm.storage.files import read_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking import entries, reading, server, views
from online_rnnlm.tracking.synchronisation import Synchronised, synchronise
from tests.browser.chromium import CHROMIUM, browse

BUDGETS = [25_000, 50_000, 100_000, 200_000, 400_000]
"""Milliseconds given to a page; the browser lets them pass faster while nothing is done."""
GENERATOR = Path(__file__).parents[1] / "unit" / "analysis" / "fake_experiment.py"

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> ExperimentDirectory:
    if "RESULTS" in os.environ:
        return ExperimentDirectory(Path(os.environ["RESULTS"]))
    fake = runpy.run_path(str(GENERATOR))
    path = tmp_path_factory.mktemp("mlflow") / "invented"
    sizes = ((100, 0), (120, 0), (100, 20))
    rows = [{"hidden_size": hidden, "document_size": size} for hidden, size in sizes]
    described = fake["experiment"](rows=rows, seeds=[1, 2])
    made: ExperimentDirectory = fake["write"](path, described)
    write_claims(described, made)
    made.report.write_text("<h1>What came out</h1>")
    return made


@pytest.fixture(scope="module")
def entered(directory: ExperimentDirectory) -> Synchronised:
    return synchronise(directory)


@pytest.fixture(scope="module")
def interface(
    directory: ExperimentDirectory, entered: Synchronised, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    port = server.free_port()
    log = tmp_path_factory.mktemp("server") / "log"
    with server.running(server.ui_command(directory, port), port, log):
        yield f"{server.address(port)}/"


class Look(Protocol):
    def __call__(self, page: str, name: str, *awaited: str) -> str: ...


@pytest.fixture
def look(interface: str, tmp_path: Path) -> Look:
    """A function that opens a page, keeps a screenshot of it and returns its visible text.

    A page that does not have all the awaited texts is given more time to be drawn.
    """
    pictures = Path(os.environ.get("SCREENSHOTS", tmp_path)).resolve()
    pictures.mkdir(parents=True, exist_ok=True)

    def open_page(page: str, name: str, milliseconds: int) -> str:
        picture = pictures / f"{name}.png"
        done = browse(
            interface + page,
            tmp_path / f"{name}-{milliseconds}",
            *("--window-size=1900,1000", f"--virtual-time-budget={milliseconds}"),
            *(f"--screenshot={picture}", "--dump-dom"),
            seconds=60 + milliseconds / 1000,
        )
        assert picture.stat().st_size > 20_000
        return re.sub(r"<(script|style).*?</\1>|<[^>]*>", "\n", done.stdout, flags=re.DOTALL)

    def open_until(page: str, name: str, *awaited: str) -> str:
        text = ""
        for milliseconds in BUDGETS:
            with suppress(subprocess.TimeoutExpired):
                text = open_page(page, name, milliseconds)
            missing = [words for words in awaited if words not in text]
            if not missing:
                return text
        raise AssertionError(f"{page} does not show {missing} but\n{text}")

    return open_until


def _labels(directory: ExperimentDirectory) -> dict[str, float]:
    """Return the test perplexity of each of the comparison's runs by its name in the interface."""
    found = {}
    for name in reading.run_names(directory):
        entry = entries.run_entry(directory, name)
        if entry.tags["kind"] != "search":
            found[entry.label] = dict(metric[:2] for metric in entry.final)["test_perplexity"]
    return found


def _order(text: str, names: list[str]) -> list[str]:
    """Sort the names by their positions on the page."""
    assert all(name in text for name in names), text
    return sorted(names, key=text.index)


def test_the_first_page_shows_the_best_run_first(
    look: Look, entered: Synchronised, directory: ExperimentDirectory
) -> None:
    [experiment] = entered.experiments.values()
    perplexities = _labels(directory)
    best = f"{min(perplexities.values()):.6f}"[:6]
    metrics = ("test_perplexity_vector_still", "multiply_adds_per_word")
    text = look(views.page(experiment), "best", *perplexities, best, *metrics)
    assert _order(text, [*perplexities]) == sorted(perplexities, key=perplexities.__getitem__)
    assert "summary" not in text.split("matching runs")[0].split("Run Name")[-1]


def test_the_page_of_the_rows_shows_means_over_the_seeds(
    look: Look, entered: Synchronised, directory: ExperimentDirectory
) -> None:
    [experiment] = entered.experiments.values()
    if "RESULTS" in os.environ and not entered.with_rows:
        pytest.skip("the experiment has one seed")
    means: dict[str, list[float]] = {}
    for label, value in _labels(directory).items():
        means.setdefault(label.partition(" · ")[0], []).append(value)
    best = f"{min(sum(values) / len(values) for values in means.values()):.6f}"[:6]
    names = [name for name in entered.runs if name.startswith("row ")]
    labels = [name.removeprefix("row ").partition(" of ")[0] for name in names]
    text = look(views.page(experiment, views.ROWS), "rows", best, "test_perplexity_sd", *labels)
    assert "seed 1" not in text
    page = f"#/experiments/{experiment}/runs/{entered.runs[names[-1]]}"
    look(page, "row", "vector still", "supported", labels[-1])


@pytest.mark.parametrize("kind", ["online", "static"])
def test_tags_filter(
    look: Look, entered: Synchronised, directory: ExperimentDirectory, kind: str
) -> None:
    [experiment] = entered.experiments.values()
    condition = quote(f"tags.kind = '{kind}'")
    labels = {label: (" D0 " in label) == (kind == "static") for label in _labels(directory)}
    chosen = [label for label, asked_for in labels.items() if asked_for]
    address = f"#/experiments/{experiment}/runs?searchFilter={condition}"
    text = look(address, f"only-{kind}", *chosen)
    assert [label for label in labels if label in text] == chosen


def test_learning_curves_are_drawn(look: Look, entered: Synchronised) -> None:
    [experiment] = entered.experiments.values()
    condition = quote(views.COMPARED)
    address = f"#/experiments/{experiment}/runs?compareRunsMode=CHART&searchFilter={condition}"
    charts = ("epoch/valid_perplexity", "epoch/train_perplexity")
    look(f"{address}&workflowType=machine_learning", "curves", *charts)


def test_runs_are_compared(
    look: Look, entered: Synchronised, directory: ExperimentDirectory
) -> None:
    [experiment] = entered.experiments.values()
    names = [n for n in entered.runs if "search" not in n and re.search(r"M100-D(0|20)-seed1", n)]
    ids = quote(str([entered.runs[name] for name in names]).replace("'", '"'))
    shown = ("M100 D0 · seed 1", "M100 D20 · seed 1", "document_size")
    page = f"#/compare-runs?runs={ids}&experiments=[%22{experiment}%22]"
    look(page, "compare", f"Comparing {len(names)} Runs", *shown)


def test_a_runs_page_says_what_it_is(
    look: Look, entered: Synchronised, directory: ExperimentDirectory
) -> None:
    [experiment] = entered.experiments.values()
    [name] = [name for name in entered.runs if name.endswith("M100-D20-seed1")]
    address = f"#/experiments/{experiment}/runs/{entered.runs[name]}?workflowType=machine_learning"
    record = read_json(directory.run(name).record)
    data_set = f"{record['settings']['corpus']} ("  # then comes its digest
    shown = ("M100 D20 · seed 1", "Finished", "100/20", record["host"], "learning_rate")
    look(address, "run", data_set, *shown)


def test_a_runs_system_metrics_have_their_page(
    look: Look, entered: Synchronised, directory: ExperimentDirectory
) -> None:
    [experiment] = entered.experiments.values()
    [name] = [name for name in entered.runs if name.endswith("M100-D20-seed1")]
    page = f"#/experiments/{experiment}/runs/{entered.runs[name]}/system-metrics"
    text = look(f"{page}?workflowType=machine_learning", "system", "(2)")
    assert re.search(r"System metrics\s*\(2\)", text), text


def test_the_best_model_is_registered(look: Look, directory: ExperimentDirectory) -> None:
    [corpus] = synchronise(directory).experiments
    name = f"{directory.path.resolve().name}-{corpus}"
    look(f"#/models/{name}", "model", name, "best")


def test_the_report_can_be_read_through_the_server(
    interface: str, entered: Synchronised, directory: ExperimentDirectory
) -> None:
    [run_id] = [run for name, run in entered.runs.items() if name.startswith("summary")]
    address = f"{interface}get-artifact?path=report.html&run_uuid={run_id}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert answer.read() == directory.report.read_bytes()


def test_only_this_machines_own_addresses_are_answered(interface: str) -> None:
    """Another site's page could reach the server by a host name that resolves to this machine."""
    request = urllib.request.Request(interface, headers={"Host": "elsewhere.example"})
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    with refused.value as answer:
        assert answer.code == 403
