"""Benchmarks of training and scoring on this machine: `python -m benchmarks --help`."""
