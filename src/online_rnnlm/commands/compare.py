"""Compare two trained models, or two ways to use one, on a text."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _model

HELP = "compare two trained models, or two ways to use one, on a text"
EXAMPLE = """\
example: printf 'The city.\\nThe river.\\n' | online-rnnlm compare results/demo results/demo \
--static second

The interval is that of a paired bootstrap over documents, since sentences of one document depend
on each other; over sentences if the text has a single document."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("first", help="a model, as in `score`")
    parser.add_argument("second", help="another model, or the same one")
    _model.add_text(parser)
    _model.add_unit(parser)
    explained = "the model in which nothing learns"
    parser.add_argument("--static", choices=("first", "second", "both"), help=explained)
    parser.add_argument(
        "--per",
        choices=("sentence", "document"),
        help="what is drawn in the bootstrap (default: documents if there are two or more, else "
        "sentences, or blocks of them if something is kept from one to the next)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    import json
    from dataclasses import asdict

    from online_rnnlm.analysis.of_text import Way, compare_on_text
    from online_rnnlm.tracking.opening import load
    from online_rnnlm.use.text import numbered_lines, read_text

    ways = []
    lines = list(numbered_lines(arguments.files))
    addresses = {"first": arguments.first, "second": arguments.second}
    models = {address: load(address) for address in dict.fromkeys(addresses.values())}
    for place, address in addresses.items():
        model, static = models[address], arguments.static in (place, "both")
        request = model.request(
            updates="none" if static else None, unit_of_text=arguments.unit_of_text
        )
        layout = _model.layout_of(model, arguments)
        text = read_text(arguments.files, model.preparation, layout, lines)
        name = f"{address} (static)" if static else address
        with_words = [one for one in text if one.words]
        ways.append(Way(model, request, name, with_words))
    found = compare_on_text(ways[0], ways[1], arguments.per)
    print(json.dumps(asdict(found), indent=1) if arguments.json else found)
