"""The files of an experiment: their paths, their formats and their digests."""
