"""A source becomes articles, sentences, splits, a vocabulary with classes, and arrays."""
