"""The original Theano 1.0.5, in an environment and a process of its own, as an engine."""
