"""The audit of the project's own networks."""

from __future__ import annotations

import logging
from itertools import islice
from typing import Any

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.cross_check.audit import END, Scorer, Text, audit, joined, lines_of, with_ends
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Audits, RunResult
from online_rnnlm.storage.runs import read_end
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.results import load_path

logger = logging.getLogger(__name__)

PLACES, TOLERANCE = 3, 1e-4
_SENTENCES, _DOCUMENT = 8, 2
"""Sentences that networks are audited on, and those of them that are read as a document."""


def of_model(model: TrainedModel, **options: Any) -> Scorer:
    """Return a model as a scorer; the options are those of `TrainedModel.score`."""

    def score(text: Text) -> list[float]:
        lines = lines_of(text)
        sentences = map(" ".join, lines)
        logs = model.log_probabilities(sentences, tokenised=True, **options)
        return joined(lines, [of_line.tolist() for of_line in logs])

    unit = model.network.unit_at_once(model.request(**options))
    words = with_ends(model.words)
    return Scorer(score, unit, words, most=len(words))


def audit_networks(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Audit every row's first run as for its number in the table, and write `audits.json`.

    The text is the beginning of `test`. Raises UserError if a model is missing or damaged.
    """
    audits = []
    for run in (row.runs[0] for row in experiment.planned_rows):
        files, corpus = directory.run(run.name), run.settings.corpus
        if isinstance(read_end(files), RunResult):
            with directory.corpus(corpus).text("test").open(encoding="utf-8") as lines:
                sentences = enumerate(islice(lines, _SENTENCES), 1)
                ended = (
                    (*line.split(), END, *[END] * (n % _DOCUMENT == 0)) for n, line in sentences
                )
                text = tuple(word for words in ended for word in words)
            scorer, name = of_model(load_path(files.path)), f"{run.model} on {corpus}"
            audits.append(audit(name, scorer, text, PLACES, TOLERANCE))
            logger.info("%s: %s", name, ", ".join(audits[-1].broken) or "no rule is broken")
    records.write(directory.audits, Audits(audits=tuple(audits)))
