"""Preparation of a corpus: articles, sentences, splits, a vocabulary with classes, and arrays."""
