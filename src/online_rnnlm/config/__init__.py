"""The typed configuration of an experiment."""
