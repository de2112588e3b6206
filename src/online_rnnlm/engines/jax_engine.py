"""Training and scoring by JAX: for a GPU, in large batches.

If the document vector feeds only the output layer, words of the same class are put together in
large products (`jax_blocks`). Else h depends on d, and the plain graph is compiled (`jax_graph`).

The engine has no scorer for weights that learn: they change after every word or sentence, which
leaves a GPU too little work at a time.
"""

from __future__ import annotations

from online_rnnlm.config.training import Reading, RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.engines import base
from online_rnnlm.engines.jax_blocks import BlockScorer, BlockTrainer
from online_rnnlm.engines.jax_device import check_device
from online_rnnlm.engines.jax_graph import GraphScorer, GraphTrainer
from online_rnnlm.engines.lanes import Carried
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import sizes_for


def Trainer(  # an engine's module has this name; it is a class in the others
    settings: RunSettings,
    corpus: Corpus,
    weights: Parameters,
    accumulators: Parameters,
    carried: Carried,
) -> base.Trainer:
    """Return the trainer that suits a model; raises UserError if its device is not there."""
    check_device(settings)
    kind = BlockTrainer if _in_blocks(settings, corpus) else GraphTrainer
    return kind(settings, corpus, weights, accumulators, carried)


def Scorer(
    settings: RunSettings, corpus: Corpus, reading: Reading, *, hidden_states: bool = False
) -> base.Scorer:
    """Return the scorer that suits a model; raises UserError if its device is not there."""
    check_device(settings)
    kind = BlockScorer if _in_blocks(settings, corpus) else GraphScorer
    return kind(settings, corpus, reading, hidden_states=hidden_states)


def _in_blocks(settings: RunSettings, corpus: Corpus) -> bool:
    """True if h does not depend on d, and gradients do not go through the updates of d."""
    coupled = sizes_for(settings, corpus).hidden_document > 0
    return not (coupled or settings.goes_through_updates)
