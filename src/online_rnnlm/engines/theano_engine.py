"""Training and scoring by the plain graph as the original Theano 1.0.5 compiles it."""

from __future__ import annotations

from online_rnnlm.engines import graph_engine
from online_rnnlm.engines.theano import process


class Trainer(graph_engine.GraphTrainer):
    """Training by `updates.training_updates`, in a process of Theano."""

    functions = process.Training


class Scorer(graph_engine.GraphScorer):
    """Scoring by `graph.predictions`, in a process of Theano."""

    functions = process.Scoring
