"""Tests of the workflow on a real Slurm: submitted jobs, parallel jobs and their records."""

import json

import pytest
import yaml

ROWS = [{"hidden_size": 16, "document_size": 0}, {"hidden_size": 16, "document_size": 4}]
CONFIGURATION = ("--configfile", "config/test.yaml")
RESULTS = "results/smoke"
LIGHT = {"all", "fetch", "tables", "figures", "claims", "neighbours", "report", "track", "complete"}
IN_PARALLEL = {"articles", "sentences", "splits"}
THREADS = 2
PREPARATION = IN_PARALLEL | {"vocabulary", "encode", "kernels"}
COLUMNS = "JobID,State,Comment,Start,End,ElapsedRaw,ReqMem,TimelimitRaw,AllocTRES,Partition"


@pytest.fixture(scope="module")
def earlier(cluster):
    """The ids of jobs that other tests submitted before."""
    return {job["JobID"] for job in cluster.accounting()}


@pytest.fixture(scope="module")
def finished(earlier, tmp_path_factory, make_project, submit, downloads):
    """The project after the smoke experiment, with two rows only, has run on the cluster."""
    del earlier  # only requested so that it is computed first
    project = make_project(tmp_path_factory.mktemp("smoke") / "project")
    smoke = yaml.safe_load((project.path / "config/smoke.yaml").read_text(encoding="utf-8"))
    changes = {"rows": ROWS, "search": {}, "threads": THREADS, "downloads": str(downloads)}
    project.configure(**smoke | changes)
    assert f"{RESULTS}/report.html" in project.succeed(*submit, *CONFIGURATION)
    return project


@pytest.fixture(scope="module")
def jobs(earlier, finished, cluster):
    """The accounting rows of the smoke experiment's jobs."""
    del finished
    return [job for job in cluster.accounting(columns=COLUMNS) if job["JobID"] not in earlier]


def _runs(finished):
    return sorted(path.parent for path in (finished.path / RESULTS).glob("runs/*/result.json"))


def test_everything_is_there(finished):
    for name in ("report.html", "claims.json", "mlflow.db", "tables/perplexity.csv"):
        assert (finished.path / RESULTS / name).stat().st_size > 0
    assert len(_runs(finished)) == len(ROWS)


def test_every_training_and_evaluation_is_a_job_and_what_is_light_is_none(finished, jobs):
    rules = [job["Comment"].removeprefix("rule_").partition("_wildcards_")[0] for job in jobs]
    assert {job["State"] for job in jobs} == {"COMPLETED"}
    assert rules.count("train") == len(_runs(finished))
    assert rules.count("evaluate") == len(ROWS)
    assert rules.count("evaluate_online") == 1
    assert set(rules) >= {*PREPARATION, "rival"}
    assert not LIGHT & set(rules)
    cores = dict.fromkeys(IN_PARALLEL, "4") | {"train": str(THREADS)}
    for rule, job in zip(rules, jobs, strict=True):
        asked = dict(part.split("=") for part in job["AllocTRES"].split(","))
        assert asked["cpu"] == cores.get(rule, "1"), rule


def test_a_runs_record_says_what_its_job_took(finished, jobs):
    by_id = {job["JobID"]: job for job in jobs}
    for run in _runs(finished):
        [job] = json.loads((run / "accounting.json").read_text(encoding="utf-8"))["jobs"]
        accounted = by_id[job["job"]]
        assert job["state"] == "COMPLETED"
        assert job["seconds"] == float(accounted["ElapsedRaw"])
        assert job["requested_minutes"] == float(accounted["TimelimitRaw"])
        assert job["requested_memory_mb"] == pytest.approx(
            float(accounted["ReqMem"].removesuffix("M")) * 1.048576
        )
        assert 100 < job["memory_mb"] < job["requested_memory_mb"]
        assert 0 < job["cpu_seconds"] < 600


def test_a_second_submission_submits_nothing(finished, submit, cluster):
    before = cluster.accounting()
    said = finished.succeed(*submit, *CONFIGURATION)
    assert "Nothing to be done" in said
    assert cluster.accounting() == before


def _overlap(one, other):
    return one["Start"] < other["End"] and other["Start"] < one["End"]


@pytest.mark.parametrize("gpus", [0, 1], ids=["without a GPU", "with the node's one GPU"])
def test_jobs_share_a_node_but_not_its_gpu(trainings, submit, cluster, gpus):
    known = {job["JobID"] for job in cluster.accounting()}
    site = ("slurm_partition=urgent", "mem_mb=2000", "runtime=60") if gpus else ()
    trainings.project.succeed(
        *submit, *trainings.arguments, "--set-resources", f"train:gpu={gpus}",
        *(("--default-resources", *site) if site else ()), "--", *trainings.results,
    )  # fmt: skip
    rows = [job for job in cluster.accounting(columns=COLUMNS) if job["JobID"] not in known]
    one, other = [job for job in rows if job["Comment"].startswith("rule_train_")]
    assert _overlap(one, other) == (gpus == 0)
    assert all(("gres/gpu" in job["AllocTRES"]) == (gpus == 1) for job in (one, other))
    assert {job["Partition"] for job in (one, other)} == {"urgent" if site else "work"}
