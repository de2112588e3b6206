"""Draw and write the figures of an experiment."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from online_rnnlm.analysis.figures.drawing import Picture, notice, save, style
from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.config.catalogue import FigureEntry, figures_of
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import FIGURE_KINDS, ExperimentDirectory
from online_rnnlm.storage.records import Captions
from online_rnnlm.storage.syntax import PACKAGE


class FigureModule(Protocol):
    """A module that draws a figure."""

    def draw(self, results: Results) -> Picture:
        """Draw the figure.

        Raises NothingToShowError if what it is about has not finished, and UserError for files
        that are missing or do not fit each other.
        """


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
    """Draw a figure, or a notice in its place if it has nothing to show."""
    module = cast(FigureModule, import_module(f"{PACKAGE}.{entry.module}"))
    try:
        return module.draw(results)
    except NothingToShowError as error:
        return notice(str(error))
