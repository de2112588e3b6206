"""Tests of the report in a real browser.

SCREENSHOTS=FOLDER keeps a screenshot of each page in that folder.
"""

import json
import os
from pathlib import Path

import pytest

from online_rnnlm.analysis.claims import write_claims
from online_rnnlm.analysis.figures.writing import write_figures
from online_rnnlm.analysis.report import write_report
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.browser.chromium import CHROMIUM, browse
from tests.processes import PATIENCE
from tests.unit.analysis import fake_experiment

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

# A script for the page: it finds elements that reach beyond the window's edge and do not scroll.
PROBE = """
<script>
addEventListener("load", () => {
  const width = document.documentElement.clientWidth;
  const wide = [...document.querySelectorAll("main *")]
    .filter(e => e.getBoundingClientRect().right > width + 1 && !e.closest(".scroll"))
    .map(e => e.tagName + "." + e.className);
  const small = [...document.querySelectorAll("figure svg text")]
    .map(e => e.getBoundingClientRect().height).filter(height => height < 9);
  // The colours of the page, and of a picture in it.
  const colours = [document.body, document.querySelector("figure svg path")]
    .map((e, i) => getComputedStyle(e)[["backgroundColor", "fill"][i]]);
  const found = {width, page: document.documentElement.scrollWidth, wide, small, colours};
  document.body.setAttribute("data-found", JSON.stringify(found));
});
</script>
"""
FOUND = 'data-found="'


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> ExperimentDirectory:
    """An invented experiment with all of its outputs written."""
    experiment = fake_experiment.experiment(search={"learning_rate": [0.1, 0.2]})
    made = fake_experiment.write(tmp_path_factory.mktemp("browser") / "invented", experiment)
    write_claims(made)
    write_figures(made)
    write_report(made)
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_the_report_fits_its_window(
    directory: ExperimentDirectory, tmp_path: Path, width: int, scheme: str
) -> None:
    pictures = Path(os.environ.get("SCREENSHOTS", tmp_path)).resolve()
    pictures.mkdir(parents=True, exist_ok=True)
    probed = tmp_path / "report.html"
    # Chromium's window cannot be narrower than 500 pixels, but a frame in it can be.
    framed = tmp_path / "phone.html"
    probed.write_text(directory.report.read_text().replace("</body>", PROBE + "</body>"))
    framed.write_text(
        f'<iframe id="f" style="width:{width}px;height:900px;border:0" src="report.html"></iframe>'
        "<script>addEventListener('load', () => setTimeout(() => document.body.setAttribute("
        "'data-found', document.getElementById('f').contentDocument.body"
        ".getAttribute('data-found')), 50))</script>"
    )
    result = browse(
        framed.as_uri(),
        tmp_path / "profile",
        *("--window-size=1300,950", "--allow-file-access-from-files"),
        *("--virtual-time-budget=3000", "--dump-dom"),
        f"--screenshot={pictures / f'report-{width}-{scheme}.png'}",
        *(["--force-dark-mode"] if scheme == "dark" else []),
        seconds=PATIENCE,
    )
    text = result.stdout.split(FOUND)[1].split('"')[0].replace("&quot;", '"')
    found = json.loads(text)
    assert found["width"] == width
    assert found["page"] == width
    assert found["wide"] == []
    assert found["small"] == []
    white = "rgb(255, 255, 255)"
    assert found["colours"] == [white if scheme == "light" else "rgb(22, 25, 29)"] * 2
    assert "CONSOLE" not in result.stderr
