"""Small models and corpora, for every test of this folder."""

from tests.unit.small_models import quick_graph, small

__all__ = ["quick_graph", "small"]
