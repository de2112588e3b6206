"""A copy of the project with quick jobs (`quick_job.py`), and configurations to change between.

Snakemake, its rules and the preparation of the corpus are real. Every other rule has its inputs,
outputs and parameters, and another command.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.project import OWN_TEXT, Project, copy_project, own_text

RESULTS = Path("results/stub")
OPTIONS = ("--cores", "2", "--configfile", "config/test.yaml")
ELSEWHERE = {"MLFLOW_TRACKING_URI": "http://nowhere.invalid"}
"""No job uses the store; one in the results' folder would be made again in a copy."""
ROWS = [{"hidden_size": 4}, {"hidden_size": 4, "document_size": 2}]
TESTING = {"rivals": ["unigram_cache"], "updates": ["document_vector"]}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "first": {},
    "another rate": {"rows": [ROWS[0], {**ROWS[1], "learning_rate": 0.1}]},
    "a row less": {"rows": ROWS[1:]},
    "other words": {"corpora": {"own": OWN_TEXT | {"vocabulary": {"min_count": 3}}}},
    "more tests": {"testing": {**TESTING, "rivals": ["unigram_cache", "neural_cache"]}},
    "another rate in tests": {"testing": {**TESTING, "document_rates": [0.7]}},
    "more words timed": {"testing": {**TESTING, "timed_tokens": 60_000}},
    "another text": {"testing": {**TESTING, "other_texts": {"other": "test.txt"}}},
}
"""Changes to the first configuration, by name."""
_COMMAND = re.compile(r'"python3 -m online_rnnlm .*?> \{log\}"', re.DOTALL)


class StubProject(Project):
    """The project; its methods run Snakemake on the chosen configuration."""

    @classmethod
    def made(cls, path: Path) -> "StubProject":
        """Copy the project, with a corpus of its own."""
        project = copy_project(path, code=True)
        for file in (path / "workflow" / "rules").glob("*.smk"):
            rules = re.split(r"(?m)^(?=rule |use rule )", file.read_text(encoding="utf-8"))
            if file.name != "corpora.smk":
                file.write_text("".join(map(_with_a_quick_job, rules)), encoding="utf-8")
        shutil.copy2(Path(__file__).with_name("quick_job.py"), path)
        own_text(project, train_sentences=60)
        return cls(path)

    def choose(self, name: str) -> None:
        """Write the configuration of that name."""
        values: dict[str, Any] = {
            "experiment": "stub",
            "corpora": {"own": OWN_TEXT},
            "testing": TESTING,
            "rows": ROWS,
        }
        self.configure(**(values | CONFIGURATIONS[name]))

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake on the chosen configuration; the list of begun jobs starts anew."""
        (self.path / "begun.log").unlink(missing_ok=True)
        return super().snakemake(*OPTIONS, *arguments, **ELSEWHERE, **environment)

    def kill_at(self, job: int) -> None:
        """Run Snakemake; it and all its jobs are killed when the job of that number begins."""
        self.snakemake(KILLED_AT=str(job))
        self.succeed("--unlock")  # as Snakemake's message says

    def begun(self) -> list[str]:
        """Return the rules of the quick jobs that the last start has begun."""
        return [line.split()[0] for line in self._begun()]

    def trained(self) -> set[str]:
        """Return the runs that the last start has trained."""
        return {line.split()[1] for line in self._begun() if line.startswith("train ")}

    def _begun(self) -> Iterable[str]:
        log = self.path / "begun.log"
        return log.read_text(encoding="utf-8").splitlines() if log.is_file() else []

    def complete_runs(self) -> set[str]:
        """Return the configuration's runs whose files are all there."""
        names = super().runs("config/test.yaml")
        folders = {name: self.path / RESULTS / "runs" / name for name in names}
        return {name for name, folder in folders.items() if len([*folder.glob("*.*")]) == 4}

    def results(self) -> list[str]:
        """Return the files of all declared outputs that are there."""
        files = [file for file in (self.path / RESULTS).rglob("*") if file.is_file()]
        names = [str(file.relative_to(self.path)) for file in files]
        return [name for name in names if "/logs/" not in name and "config.json" not in name]

    def outcome(self) -> dict[str, bytes]:
        """Return what the configuration's outputs are made of, by their paths."""
        shown = [*self.path.glob(f"{RESULTS}/tables/*.csv"), self.path / RESULTS / "report.html"]
        return {str(file.relative_to(self.path)): file.read_bytes() for file in shown}

    def edit(self, file: str, addition: str = "\n_ADDED = 1\n") -> None:
        """Append text to a file of code, by default a statement."""
        with (self.path / file).open("a", encoding="utf-8") as stream:
            stream.write(addition)


def _with_a_quick_job(rule: str) -> str:
    """Return a rule with the command of a quick job."""
    settings = "{params.settings:q}" if "settings=" in rule else "none"
    command = f'"python3 quick_job.py {{rule}} {settings} {{input}} -- {{output}} &> {{log}}"'
    return _COMMAND.sub(lambda _: command, rule)
