"""Draw and write the figures of an experiment."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from online_rnnlm.analysis.figures.drawing import Picture, notice, save, style
from online_rnnlm.analysis.results import NothingToShowError, Results, collect
from online_rnnlm.config.catalogue import FigureEntry, figures_of
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import FIGURE_KINDS, ExperimentDirectory
from online_rnnlm.storage.records import Captions

Draw = Callable[[Results], Picture]


def write_figures(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Draw all figures as SVG and PNG; write the captions last."""
    results = collect(experiment, directory)
    captions = {}
    for entry in figures_of(experiment):
        with style(entry.name):
            picture = _picture(entry, results)
            for kind in FIGURE_KINDS:
                save(picture.drawing, directory.figure(entry.name, kind))
        captions[entry.name] = " ".join([*results.missing_note, picture.caption])
    records.write(directory.captions, Captions(settings=results.settings_digest, captions=captions))


def _picture(entry: FigureEntry, results: Results) -> Picture:
    """Draw a figure, or a notice in its place if it has nothing to show.

    Raises UserError for files that are missing or do not fit each other.
    """
    module, _, function = entry.drawn_by.partition(".")
    draw: Draw = getattr(import_module(f"online_rnnlm.analysis.figures.{module}"), function)
    try:
        return draw(results)
    except NothingToShowError as error:
        return notice(str(error))
