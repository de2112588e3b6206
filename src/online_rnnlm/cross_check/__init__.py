"""The model's graph, compiled by the original Theano: does it give the same?"""
