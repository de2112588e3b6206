"""An experiment in MLflow: its runs, and the summary with its report and its best models."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import get_args

from online_rnnlm.config import catalogue
from online_rnnlm.config.evaluations import main_adaptation
from online_rnnlm.config.plan import Plan, load_plan
from online_rnnlm.core.adaptation import NONE
from online_rnnlm.process.mlflow_library import mlflow
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Claim, Claims, Verdict
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, read_end
from online_rnnlm.tracking.runs import enter_run
from online_rnnlm.tracking.store import find_entry, find_or_create_entry, milliseconds

BEST = "best"
"""The alias of the registered model that is the best."""
WHAT_IS_UPDATED = "what-is-updated"
"""The key of the view that shows evaluations by what was updated in them."""


def enter_all(directory: ExperimentDirectory, experiment_id: str) -> int:
    """Enter all runs of the configuration that have been tested, or have diverged, and the report.

    Returns the number of runs. Raises UserError if a file is damaged.
    """
    number = 0
    for run in load_plan(directory.configuration).trainings():
        needed = [directory.run(run.name).result]
        if not run.searched:
            needed += [
                directory.evaluation(run.name, name)
                for name in (NONE, main_adaptation(run.settings.document_size).name)
            ]
        if all(file.is_file() for file in needed):
            enter_run(directory, experiment_id, run.name)
            number += 1
    if directory.report.is_file():
        enter_summary(directory, experiment_id)
    return number


def enter_summary(directory: ExperimentDirectory, experiment_id: str) -> str:
    """Enter the report with its tables, figures and verdicts; return MLflow's id of the entry.

    The experiment's description links to the report, too. The model of each corpus that is best on
    `valid` is registered under the alias `best`. Raises UserError if a file is missing or damaged.
    """
    library = mlflow()
    experiment = load_plan(directory.configuration)
    claims = records.read(Claims, directory.claims)
    written = datetime.fromtimestamp(directory.report.stat().st_mtime).astimezone()
    run_id = find_or_create_entry(
        experiment_id, claims.settings, "summary", written, {"kind": "summary"}
    )
    with library.start_run(run_id=run_id):
        for file in (directory.report, directory.claims):
            library.log_artifact(str(file))
        library.log_artifacts(str(directory.tables), "tables")
        library.log_artifacts(str(directory.figures), "figures")
        note = _note(directory, experiment, run_id)
        library.set_tags({"mlflow.note.content": note, **tags_of_claims(claims.claims)})
        library.log_metrics(_verdicts(claims), timestamp=milliseconds(written))
    library.MlflowClient().set_experiment_tag(experiment_id, "mlflow.note.content", note)
    _save_view(experiment_id, written)
    _register_best(directory, experiment_id, experiment)
    return run_id


def _note(directory: ExperimentDirectory, experiment: Plan, run_id: str) -> str:
    """Say in Markdown what was found, with links to the report and its first picture.

    MLflow does not fit a picture itself into its page.
    """

    def link(path: str) -> str:
        return f"get-artifact?path={path}&run_uuid={run_id}"

    figure = catalogue.those_of(catalogue.FIGURES, experiment)[0].name
    found = directory.summary.read_text(encoding="utf-8").rstrip()
    links = f"[The report]({link('report.html')}), [picture]({link(f'figures/{figure}.png')})"
    return f"{links}\n\n```\n{found}\n```\n"


def _save_view(experiment_id: str, written: datetime) -> None:
    """Save `WHAT_IS_UPDATED` among the views that MLflow's page of runs offers.

    MLflow's interface keeps such views in tags of the experiment.
    """
    tags = ("network", "updated", "forgotten_at")
    metrics = ("perplexity/test", "numbers_changed_per_word", "multiply_adds_per_word")
    state = {
        "searchFilter": "tags.kind = 'evaluation'",
        "orderByKey": "metrics.`perplexity/test`",
        "orderByAsc": True,
        "startTime": "ALL",
        "selectedColumns": [
            *(f"tags.`{key}`" for key in tags),
            *(f"metrics.`{key}`" for key in metrics),
        ],
    }
    view = {
        "name": "What is updated",
        "createdAt": round(1000 * written.timestamp()),
        "state": json.dumps(state),
    }
    mlflow().MlflowClient().set_experiment_tag(
        experiment_id, f"mlflow.sharedViewState.{WHAT_IS_UPDATED}", json.dumps(view)
    )


def tags_of_claims(claims: Iterable[Claim]) -> dict[str, str]:
    """Return a tag for each claim on each corpus, with the number of each verdict on it.

    `claim.e.ptb` may be `refuted 2, undecided 1`. MLflow's page cuts longer tags.
    """
    verdicts: dict[str, Counter[str]] = defaultdict(Counter)
    for claim in claims:
        verdicts[f"claim.{claim.letter}.{claim.corpus}"][claim.verdict] += 1
    return {
        key: ", ".join(f"{verdict} {number}" for verdict, number in found.items())
        for key, found in verdicts.items()
    }


def _verdicts(claims: Claims) -> dict[str, float]:
    """Return the number of claims with each verdict, and of those that cannot be tested."""
    found = Counter(claim.verdict for claim in claims.claims)
    return {
        **{f"claims/{verdict}": found[verdict] for verdict in get_args(Verdict)},
        "claims/not_tested": len(claims.not_tested),
    }


def _register_best(directory: ExperimentDirectory, experiment_id: str, experiment: Plan) -> None:
    """Register the model of each corpus that is best on `valid`, under the alias `best`."""
    library = mlflow()
    client = library.MlflowClient()
    perplexities: dict[str, dict[str, float]] = defaultdict(dict)
    for run in experiment.runs():
        files = directory.run(run.name)
        end = read_end(files)
        if end is not None and not end.reason:
            logged = find_entry(experiment_id, records.read(RunRecord, files.record).identity)
            if logged is not None and logged.outputs.model_outputs:
                perplexities[run.settings.corpus][logged.info.run_id] = end.reached
    for corpus, models in perplexities.items():
        best = min(models, key=models.__getitem__)
        name = f"{directory.path.resolve().name}-{corpus}"
        versions = client.search_model_versions(f"name = '{name}' and run_id = '{best}'")
        version = versions[0] if versions else library.register_model(f"runs:/{best}/model", name)
        client.set_registered_model_alias(name, BEST, version.version)
