"""Tests that the workflow makes a figure that a user has added."""

NAME = "training_time"
ENTRY = f"""
    FigureEntry("{NAME}", "Time of training", Section.TRAINING),"""
FIGURE = '''
"""The training time of each row."""

from online_rnnlm.analysis.figures.drawing import Picture, panels
from online_rnnlm.analysis.results import Results


def draw(results: Results) -> Picture:
    """Draw an empty figure."""
    return Picture(panels(1, 3.0)[0], "Nothing.")
'''
FOLDER = "src/online_rnnlm/analysis"
SMOKE = ("--cores", "1", "--configfile", "config/smoke.yaml")


def test_the_workflow_makes_a_new_figure(project):
    (project.path / FOLDER / "figures" / f"{NAME}.py").write_text(FIGURE, encoding="utf-8")
    catalogue = project.path / "src/online_rnnlm/config/catalogue.py"
    text = catalogue.read_text(encoding="utf-8")
    catalogue.write_text(text.replace("FIGURES = (", f"FIGURES = ({ENTRY}"), encoding="utf-8")
    planned = project.planned(*SMOKE, "--", f"results/smoke/figures/{NAME}.svg")
    assert "figures" in planned
    assert "report" not in planned
