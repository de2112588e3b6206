"""Run the replay by the original Theano 1.0.5, in its own environment: Python 3.8 or 3.9."""

from __future__ import annotations

from importlib import import_module

from online_rnnlm.engines.theano.as_pytensor import take_pytensors_place

if __name__ == "__main__":
    take_pytensors_place()
    import_module("online_rnnlm.cross_check.replay").main()
