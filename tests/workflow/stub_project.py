"""A copy of the project with quick jobs (`stub_verbs.py`), and configurations to change between."""

import os
import subprocess
from pathlib import Path

from tests.project import ROOT, Project, copy_project, own_text, users_environment
from tests.waiting import PATIENCE

RESULTS = Path("results/stub")
OPTIONS = ("--cores", "2", "--configfile", "config/test.yaml")
ROWS = [{"hidden_size": 4}, {"hidden_size": 4, "document_size": 2}]
TESTING = {"rivals": ["unigram_cache"]}
CONFIGURATIONS = {
    "first": {},
    "another rate": {"rows": [ROWS[0], {**ROWS[1], "learning_rate": 0.1}]},
    "a row less": {"rows": ROWS[1:]},
    "other words": {"vocabulary": {"min_count": 3}},
    "more tests": {"testing": {"rivals": ["unigram_cache", "neural_cache"]}},
}
"""Changes to the first configuration, by name."""


class StubProject(Project):
    """The project; its methods run Snakemake with one more change of the environment."""

    @classmethod
    def made(cls, path: Path) -> "StubProject":
        """Copy the project, with a corpus of its own."""
        project = copy_project(path)
        verbs = Path(__file__).with_name("stub_verbs.py").read_text(encoding="utf-8")
        program = path / "src/online_rnnlm/__main__.py"
        program.write_text(verbs.replace("{root}", str(ROOT)), encoding="utf-8")
        own_text(project, train_sentences=60)
        return cls(path)

    def choose(self, name: str) -> None:
        """Write the configuration of that name."""
        changes = dict(CONFIGURATIONS[name])
        vocabulary = changes.pop("vocabulary", {"min_count": 1})
        source = {"kind": "text", "tokenised": True}
        source |= {split: f"{split}.txt" for split in ("train", "valid", "test")}
        values = {
            "experiment": "stub",
            "corpora": {
                "own": {"source": source, "vocabulary": vocabulary, "classes": {"count": 5}}
            },
            "training": {"max_epochs": 2},
            "testing": TESTING,
            "rows": ROWS,
        }
        self.configure(**(values | changes))

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake on the chosen configuration."""
        return super().snakemake(*OPTIONS, *arguments, **environment)

    def killed_after(self, jobs: int) -> None:
        """Run Snakemake; it and all its jobs are killed when the job of that number begins."""
        (self.path / "begun.log").unlink(missing_ok=True)
        subprocess.run(
            self.command(*OPTIONS),
            cwd=self.path,
            env=users_environment() | {"KILLED_AFTER": str(jobs)},
            capture_output=True,
            timeout=PATIENCE,
            start_new_session=True,
            check=False,
        )
        finished = {file.parents[1].name for file in self.path.rglob("kept/result.json")}
        begun = [run for run in self.trained() if run in finished]
        (self.path / "trained.log").write_text("".join(f"{run}\n" for run in begun))

    def trained(self) -> list[str]:
        """Return the runs whose training was begun, and finished unless it was killed."""
        log = self.path / "trained.log"
        return log.read_text(encoding="utf-8").split() if log.is_file() else []

    def results(self) -> list[str]:
        """Return the files of all declared outputs that are there."""
        files = (self.path / RESULTS).rglob("*")
        kept = (file.relative_to(self.path) for file in files if file.is_file())
        return [
            str(file)
            for file in kept
            if not {"kept", "logs"} & {*file.parts} and file.name not in ("train.log", ".lock")
        ]

    def outcome(self) -> dict[str, bytes]:
        """Return what the configuration's outputs are made of, by their paths."""
        shown = [*self.path.glob(f"{RESULTS}/tables/*.csv"), self.path / RESULTS / "report.html"]
        return {str(file.relative_to(self.path)): file.read_bytes() for file in shown}

    def edit(self, file: str, addition: str = "", *, comment: bool = False) -> None:
        """Append a comment to a file of code, or a statement."""
        with (self.path / file).open("a", encoding="utf-8") as stream:
            stream.write("# A comment.\n" if comment else f"_{os.urandom(4).hex()} = 1\n")
