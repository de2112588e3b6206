"""The fixture by which PyTensor compiles quickly."""

from tests.unit.small_models import quick_graph

__all__ = ["quick_graph"]
