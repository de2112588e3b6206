"""Serve a trained model to programs on this machine, over HTTP."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments, _model

HELP = "serve a trained model to programs on this machine, over HTTP"
EXAMPLE = """\
example: online-rnnlm serve results/demo --port 8765

then:    curl -d '{"texts": ["Karachi is the capital of Sindh."]}' http://127.0.0.1:8765/score

Other keys are the options of `score`: tokenised, running, per (sentence or word), updates,
unit_of_text, learn_after, learning_rate, steps, cache, cache_window, cache_weight and
cache_theta. `GET /health` says which model it is. Ctrl-C ends it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _model.add_model(parser)
    parser.add_argument(
        "--port",
        type=_arguments.whole_number(65535),
        default=8765,
        help="port on this machine (default: %(default)s)",
    )
    parser.add_argument(
        "--max-bytes",
        type=_arguments.whole_number(10**9),
        default=1_000_000,
        help="size of the largest request (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.use.serving import ScoringServer

    model = _model.named_model(arguments)
    model.score(["a"])  # this loads the compiled code, so that the first client need not wait
    with ScoringServer(model, arguments.port, arguments.max_bytes) as server:
        print(f"{model.description.run}: {server.address}", flush=True)
        server.serve_forever()
