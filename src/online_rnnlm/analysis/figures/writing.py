"""Draws the figures of `config/catalogue.py`, each by its own function, and writes them."""

from __future__ import annotations

from collections.abc import Callable
from pkgutil import resolve_name

from online_rnnlm.analysis.figures import drawing
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.config.catalogue import FIGURES, Entry, those_of
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Captions
from online_rnnlm.storage.paths import FIGURE_KINDS, ExperimentDirectory


def write_figures(directory: ExperimentDirectory) -> None:
    """Draw all figures as SVG and PNG; write the captions last.

    A figure that has nothing to show only has a text that says so. Raises UserError for files that
    are missing or do not fit each other.
    """
    results = collect(directory)
    captions = {}
    for entry in those_of(FIGURES, results.experiment):
        caption = write_figure(entry, results, directory)
        captions[entry.name] = " ".join([*results.missing_note, caption])
    records.write(directory.captions, Captions(captions=captions))


def write_figure(entry: Entry, results: Results, directory: ExperimentDirectory) -> str:
    """Draw a figure of the catalogue in each format; return its caption.

    The caption names the corpus shown if there are others.
    """
    draw: Callable[[Results], drawing.Drawing] = resolve_name(f"{__package__}.{entry.drawn_by}")
    with drawing.style(entry.name):
        try:
            figure, caption = draw(results)
            if results.several_corpora:
                caption += f" The corpus shown is {results.first_corpus}."
        except NothingToShowError as error:
            figure, (axis,) = drawing.panels(1, 1.0)
            axis.set_axis_off()
            axis.text(0.5, 0.5, str(error), ha="center", va="center", color=drawing.MUTED)
            caption = str(error)
        for kind in FIGURE_KINDS:
            drawing.save(figure, directory.figure(entry.name, kind))
    return caption
