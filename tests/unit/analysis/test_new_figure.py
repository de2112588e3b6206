"""Tests of a figure and a table that a user adds: each is one file and one entry."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit import extended_package

pytestmark = pytest.mark.slow  # a copy of the package draws all figures

FIGURE = '''
"""The figure `training_time`: how long each row trains."""

from online_rnnlm.analysis.figures.drawing import Picture, panels
from online_rnnlm.analysis.results import Results


def draw(results: Results) -> Picture:
    """Draw a bar for each row."""
    figure, (axis,) = panels(1, 3.0)
    for row in results.rows:
        axis.bar(row.label, row.first.result.seconds)
    return Picture(figure, f"{len(results.rows)} rows and their seconds.")
'''
FIGURE_ENTRY = """
    FigureEntry("training_time", "Time of training", Section.TRAINING, needs=(vector_rows,)),"""
TABLE = '''
"""The table `lengths`: the length of each row's document vector."""

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label


def make(results: Results) -> Table:
    """A row a row."""
    data = pd.DataFrame({"model": row.label, "length": row.document_size} for row in results.rows)
    columns = [Column("Model", label("model"), text=True), Column("Length", integer("length"))]
    return Table("lengths", "Lengths of vectors", data, columns)
'''
TABLE_ENTRY = """
    TableEntry("lengths", Section.GAIN),"""
SCRIPT = """
import json, runpy, sys
from pathlib import Path
from online_rnnlm.config.catalogue import figures_of, tables_of
from online_rnnlm.analysis.claims.write import write_claims
from online_rnnlm.analysis.figures.write import write_figures
from online_rnnlm.analysis.report.write import write_report
from online_rnnlm.analysis.tables.write import write_tables
fake = runpy.run_path(sys.argv[1])
published = Path(sys.argv[2])
experiment = fake["experiment"](rows=[{"hidden_size": 9, "document_size": [0, 2]}])
directory = fake["write"](Path("invented"), experiment)
write_tables(experiment, directory, published)
write_figures(experiment, directory)
write_claims(experiment, directory)
write_report(experiment, directory, published)
static = fake["experiment"](rows=[{"hidden_size": 9}])
print(json.dumps({
    "figures": [figure.name for figure in figures_of(experiment)],
    "tables": [table.name for table in tables_of(experiment)],
    "without vectors": [figure.name for figure in figures_of(static)],
}))
"""
MODULES = Path("online_rnnlm", "analysis")


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with an additional figure and table."""
    folder = extended_package.copy_package(tmp_path_factory.mktemp("extended"))
    extended_package.add_file(folder, "analysis/figures/training_time.py", FIGURE)
    extended_package.add_file(folder, "analysis/tables/lengths.py", TABLE)
    catalogue = "config/catalogue.py"
    extended_package.add_name(folder, catalogue, "FIGURES = (", FIGURE_ENTRY)
    extended_package.add_name(folder, catalogue, "TABLES = (", TABLE_ENTRY)
    return folder


def _python(package: Path, folder: Path, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(package)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_both_are_listed_made_and_in_the_report(
    extended: Path, tmp_path: Path, published_file: Path
) -> None:
    fake = Path(__file__).with_name("fake_experiment.py")
    found = json.loads(_python(extended, tmp_path, "-c", SCRIPT, fake, published_file))
    assert "training_time" in found["figures"]
    assert "lengths" in found["tables"]
    assert "training_time" not in found["without vectors"]
    results = tmp_path / "invented"
    for file in ("figures/training_time.svg", "figures/training_time.png", "tables/lengths.tex"):
        assert (results / file).stat().st_size > 0
    report = (results / "report.html").read_text(encoding="utf-8")
    [trained] = [part for part in report.split("<h2>") if part.startswith("How the models learn")]
    assert "2 rows and their seconds." in trained
    assert 'aria-label="Time of training"' in trained
    [gain] = [part for part in report.split("<h2>") if part.startswith("Where the gain")]
    assert "Lengths of vectors" in gain


def test_its_code_is_a_reason_to_draw_again(extended: Path, tmp_path: Path) -> None:
    digest = (
        "from online_rnnlm.config.catalogue import FIGURES; from online_rnnlm.pipeline import "
        "inputs; print(inputs.code('figures', *(figure.module for figure in FIGURES)))"
    )
    before = _python(extended, tmp_path, "-c", digest)
    path = extended / MODULES / "figures" / "training_time.py"
    path.write_text(FIGURE.replace("axis.bar(", "axis.barh("), encoding="utf-8")
    assert _python(extended, tmp_path, "-c", digest) != before
    path.write_text(FIGURE, encoding="utf-8")
    assert _python(extended, tmp_path, "-c", digest) == before


def test_an_entry_without_its_file_is_an_error(extended: Path, tmp_path: Path) -> None:
    path = extended / MODULES / "tables" / "lengths.py"
    path.unlink()
    code = (
        "from online_rnnlm.pipeline import inputs\n"
        "try: inputs.code('tables', 'analysis.tables.lengths')\n"
        "except ValueError as error: print(error)"
    )
    assert "no module `analysis.tables.lengths`" in _python(extended, tmp_path, "-c", code)
    path.write_text(TABLE, encoding="utf-8")
