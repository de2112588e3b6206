"""Draw all figures of an experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from online_rnnlm.analysis.figures.costs import by_multiply_adds, by_parameters
from online_rnnlm.analysis.figures.curves import learning_curves
from online_rnnlm.analysis.figures.drawing import KINDS, Picture, save, style
from online_rnnlm.analysis.figures.frequencies import gain_by_frequency
from online_rnnlm.analysis.figures.positions import perplexity_by_position
from online_rnnlm.analysis.figures.rates import rate_curve
from online_rnnlm.analysis.figures.vectors import vector_map
from online_rnnlm.analysis.names import figure_names
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Captions

DRAWINGS: Mapping[str, Callable[[Results], Picture]] = {
    "perplexity_by_parameters": by_parameters,
    "perplexity_by_multiply_adds": by_multiply_adds,
    "learning_curves": learning_curves,
    "perplexity_by_position": perplexity_by_position,
    "gain_by_frequency": gain_by_frequency,
    "rate_curve": rate_curve,
    "vector_map": vector_map,
}


def write_figures(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Draw all figures as SVG and PNG; write their captions, by name, last."""
    results = collect(experiment, directory)
    captions = {}
    for name in figure_names(experiment):
        with style(name):
            picture = DRAWINGS[name](results)
            for kind in KINDS:
                save(picture.drawing, directory.figure(name, kind))
        captions[name] = picture.caption
    records.write(directory.captions, Captions(captions=captions))
