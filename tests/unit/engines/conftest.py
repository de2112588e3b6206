"""Fixtures for all tests of this folder: small models and corpora."""

from tests.unit.small_models import quick_graph, small

__all__ = ["quick_graph", "small"]
