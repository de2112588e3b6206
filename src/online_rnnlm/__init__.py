"""A recurrent neural language model whose document vector keeps learning while it is tested.

To use a trained model from Python:

    from online_rnnlm import load
    model = load("results/demo")
    model.score(["Karachi is the capital of Sindh."])
"""

from importlib import import_module

__all__ = [
    "ModelDescription",
    "State",
    "TrainedModel",
    "UserError",
    "audit",
    "compare",
    "load",
]
_PLACES = {
    "ModelDescription": "use.model_file",
    "State": "use.network",
    "TrainedModel": "use.model",
    "UserError": "errors",
    "audit": "auditing.functions",
    "compare": "analysis.comparing",
    "load": "use.model",
}
"""The modules of the public names: each is imported when its name is first used.

Their types are in `__init__.pyi`.
"""


def __getattr__(name: str) -> object:
    """Import a public name from its module."""
    if name == "__version__":
        return import_module("importlib.metadata").version("online-rnnlm")
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Numerical libraries read the environment when they are loaded. What works with other people's
    # models leaves it as it is.
    if name not in ("UserError", "audit", "compare"):
        import_module(f"{__name__}.process.environment").prepare_process()
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list:
    """Return the public names."""
    return sorted([*globals(), *__all__])
