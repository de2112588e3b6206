"""Measures how fast the model trains and scores on this machine: `python -m benchmarks --help`."""
