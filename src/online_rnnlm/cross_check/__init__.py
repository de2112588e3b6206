"""A cross-check: the model's graph, compiled by the original Theano, gives the same results."""
