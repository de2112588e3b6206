"""Punkt's parameters as a record of a model's file, and back."""

from __future__ import annotations

from online_rnnlm.corpora.bare_packages import bare
from online_rnnlm.errors import UserError
from online_rnnlm.storage.records import SentenceSplitter

with bare("nltk", "nltk.tokenize"):
    from nltk.tokenize.punkt import PunktParameters


def of_punkt(punkt: PunktParameters) -> SentenceSplitter:
    """Return what Punkt has learnt; equal parameters give an equal record."""
    return SentenceSplitter(
        abbreviations=tuple(sorted(punkt.abbrev_types)),
        collocations=tuple(sorted((str(first), str(last)) for first, last in punkt.collocations)),
        starters=tuple(sorted(punkt.sent_starters)),
        contexts=dict(sorted(punkt.ortho_context.items())),
    )


def to_punkt(splitter: SentenceSplitter | None) -> PunktParameters:
    """Return Punkt's parameters; raises UserError if there are none, so text cannot be divided."""
    if splitter is None:
        raise UserError("the model has no sentence splitter: give a sentence a line")
    punkt = PunktParameters()
    punkt.abbrev_types.update(splitter.abbreviations)
    punkt.collocations.update(splitter.collocations)
    punkt.sent_starters.update(splitter.starters)
    punkt.ortho_context.update(splitter.contexts)
    return punkt
