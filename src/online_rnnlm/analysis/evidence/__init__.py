"""A small folder by which a reader checks an experiment's tables without training its networks."""
