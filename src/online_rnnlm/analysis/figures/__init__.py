"""The pictures of an experiment, a module a kind, each with a caption made from its data."""
