"""Prints the workflow's rules, as Snakemake reads them, as JSON: {rule: [command, [code, …]]}.

Each code lists the starting points of the rule's digest instead of the digest itself, such as
`commands.train:run training.loop`, and after a `+` the folder of the package's data. The list of
codes is empty if the rule has none.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

from snakemake.api import SnakemakeApi
from snakemake.rules import Rule
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.measurements import measurements_of
from online_rnnlm.pipeline import inputs
from online_rnnlm.rivals import rivals_of_corpora


def main(configuration: str) -> None:
    inputs.code_digest = lambda *starts, without=(): " ".join(starts)  # type: ignore[assignment]
    inputs.data_digest = lambda folder: folder
    quiet = OutputSettings(dryrun=True, quiet={Quietness.ALL})
    with SnakemakeApi(quiet) as api:
        workflow = api.workflow(
            config_settings=ConfigSettings(configfiles=[Path(configuration)]),
            resource_settings=ResourceSettings(cores=1),
            snakefile=Path("Snakefile"),
        )._workflow
        experiment = workflow.globals["EXPERIMENT"]
        rules = {rule.name: [rule.shellcmd, _codes(rule, experiment)] for rule in workflow.rules}
    print(json.dumps(rules))


def _codes(rule: Rule, experiment: Experiment) -> list[str]:
    """Return the codes of a rule: one for each run and corpus if they matter, else one."""
    code = dict(rule.params.items()).get("code")
    if callable(code):
        return sorted(set(_of_all_jobs(code, experiment)))
    return [] if code is None else [code]


def _of_all_jobs(code: Callable[[SimpleNamespace], str], experiment: Experiment) -> Iterator[str]:
    for wildcards in _wildcards(experiment):
        with suppress(KeyError):  # a run of the search is not tested
            yield code(wildcards)


def _wildcards(experiment: Experiment) -> Iterator[SimpleNamespace]:
    for run in experiment.trainings():
        for rival in rivals_of_corpora(experiment) or [""]:
            yield _with(run=run.name, corpus=run.settings.corpus, rival=rival)
    for planned in measurements_of(experiment):
        yield _with(measurement=planned.name, reference=planned.reference.name)


def _with(**values: str) -> SimpleNamespace:
    """Return wildcards with these values; the others have values that no job has."""
    names = ("run", "corpus", "rival", "measurement", "reference")
    return SimpleNamespace(**(dict.fromkeys(names, "") | values))


if __name__ == "__main__":
    main(sys.argv[1])
