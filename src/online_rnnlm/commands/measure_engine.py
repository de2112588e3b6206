"""Measure an engine for the table of engines."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments
from online_rnnlm.errors import UserError

HELP = "measure an engine for the table of engines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_configuration(parser)
    parser.add_argument("--measurement", required=True, help="name of the measurement")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb; raises UserError if there is no measurement of that name."""
    from online_rnnlm.config.measurements import measurements_of, references_of
    from online_rnnlm.cross_check.measurement import write_measurement
    from online_rnnlm.pipeline.measurements import job_of
    from online_rnnlm.storage.receipts import recording

    experiment, directory = _arguments.experiment_of(arguments)
    every = [*references_of(experiment), *measurements_of(experiment)]
    found = {planned.name: planned for planned in every}
    if arguments.measurement not in found:
        names = ", ".join(found)
        raise UserError(
            f"{arguments.config}: no measurement `{arguments.measurement}`; it has {names}"
        )
    planned = found[arguments.measurement]
    with recording(directory, job_of(experiment, planned, directory).files) as made_already:
        if not made_already:
            write_measurement(planned, experiment.engine_table, directory)
