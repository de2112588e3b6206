"""Tests that a run's identity depends on everything that changes its bits, and only on that."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import online_rnnlm
from online_rnnlm.config.training import RunSettings
from online_rnnlm.storage import code, modules
from online_rnnlm.storage.identity import identity
from tests.forking import Forks

pytestmark = pytest.mark.slow  # copies of the package are digested again and again

SETTINGS = RunSettings(corpus="some")
PACKAGE = Path(online_rnnlm.__file__).parent
CORPUS = {"articles", "sentences", "splits", "vocabulary", "encode"}
ALL = CORPUS | {"kernel", "graph", "train", "figures", "report", "compiled"}


@pytest.fixture(scope="module")
def digests(tmp_path_factory):
    """A function that returns the digests of the package in a folder in its present state.

    Each call uses a fork of a process that has imported the package but not yet read its sources.
    """
    forks, file = {}, tmp_path_factory.mktemp("digests") / "digests.json"
    cache = str(tmp_path_factory.mktemp("cache"))

    def digest(root: Path) -> dict[str, str]:
        if root not in forks:
            environment = os.environ | {"PYTHONPATH": str(root), "XDG_CACHE_HOME": cache}
            forks[root] = Forks(["tests.unit.storage.digests"], environment)
        fork = forks[root].start("tests.unit.storage.digests:write_digests", str(file))
        assert fork.wait() == 0
        return json.loads(file.read_text(encoding="utf-8"))

    yield digest
    for process in forks.values():
        process.close()


@pytest.fixture(scope="module")
def copied(tmp_path_factory, digests):
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, root / "online_rnnlm", ignore=shutil.ignore_patterns("__pycache__"))
    return root, digests(root)


@pytest.fixture
def changed_by(copied, digests):
    """A function that replaces `old` by `new` once in a file; returns the changed digests."""
    root, before = copied

    def edit(file: str, old: str, new: str) -> set[str]:
        path = root / "online_rnnlm" / file
        content = path.read_text(encoding="utf-8")
        assert old in content, (file, old)
        path.write_text(content.replace(old, new, 1), encoding="utf-8")
        try:
            after = digests(root)
        finally:
            path.write_text(content, encoding="utf-8")
        return {name for name in before if before[name] != after[name]}

    return edit


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("storage/paths.py", '"figures"', '"pictures"', id="a figure's path"),
        pytest.param("engines/kernels/forward.py", '"""', '"""Well. ', id="a docstring"),
        pytest.param("engines/kernels/forward.py", "from", "# A comment.\nfrom", id="a comment"),
        pytest.param("training/epoch.py", "is not a finite number", "is odd", id="an error"),
        pytest.param("training/epoch.py", "diverged in epoch", "ended in epoch", id="its helper"),
        pytest.param("training/train.py", "waits for another", "awaits another", id="the log"),
        pytest.param("config/tracking.py", "10.0", "11.0", id="a setting of tracking"),
        pytest.param("config/testing.py", "[0.003, ", "[0.002, ", id="a setting of testing"),
        pytest.param("commands/train.py", "so often within", "often within", id="a help text"),
        pytest.param("training/epoch.py", "-> EpochOutcome", "-> object", id="an annotation"),
        pytest.param(
            "storage/records/runs.py",
            "Perplexity of `train`, while",
            "While",
            id="a record's description",
        ),
    ],
)
def test_what_decides_no_bit_changes_no_digest(changed_by, file, old, new):
    assert changed_by(file, old, new) == set()


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        pytest.param("training/schedule.py", "PLATEAUS = 3", "PLATEAUS = 4",
                     {"kernel", "graph", "train"}, id="the learning-rate rule"),
        pytest.param("training/loop.py", "if outcome.kept", "if not outcome.kept",
                     {"kernel", "graph", "train"}, id="the loop"),
        pytest.param("engines/kernels/elementary.py", "(30.0)", "(31.0)",
                     {"kernel", "compiled"}, id="a constant in a kernel"),
        pytest.param("engines/linking.py", '"internal"', '"private"',
                     {"kernel", "graph", "compiled"}, id="what a package does when it is loaded"),
        pytest.param("model/graph.py", "_NEVER = -1e30", "_NEVER = -1e20",
                     {"graph"}, id="the graph"),
        pytest.param("model/cells/sigmoid.py", "pt.sigmoid(", "pt.tanh(",
                     {"kernel", "graph"}, id="the cell"),
        pytest.param("engines/kernels/cells/sigmoid.py", "t > 0 or", "t > 1 or",
                     {"kernel", "compiled"}, id="the kernels' cell"),
        pytest.param("engines/kernels/cells/lstm.py", "one - shown *", "one + shown *",
                     {"compiled"}, id="another cell"),
        pytest.param("corpora/vocabulary.py", "sqrt", "cbrt", {"vocabulary"}, id="the classes"),
        pytest.param("analysis/figures/learning_curves.py", "1.05", "1.06",
                     {"figures"}, id="a figure"),
    ],
)  # fmt: skip
def test_what_decides_changes_what_it_decides(changed_by, file, old, new, expected):
    found = changed_by(file, old, new)
    assert expected <= found
    assert not (found - expected) & (CORPUS | {"kernel", "graph", "compiled"})


def test_the_label_of_a_model_changes_no_training(changed_by):
    found = changed_by("config/runs.py", "{context}/{settings.document_size}", "")
    assert "report" in found
    assert not found & {"kernel", "graph", "compiled"}


def test_a_new_figure_changes_no_training(changed_by):
    found = changed_by("config/catalogue.py", "TRAINING),", "GAIN),")
    assert found == {"figures", "report"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("storage/records/base.py", "Literal[1] = Field(\n        default=1",
                     "Literal[2] = Field(\n        default=2", id="another version"),
        pytest.param("storage/records/runs.py", "    kept: bool",
                     "    gpu_seconds: float = 0.0\n    kept: bool", id="one more number"),
        pytest.param("training/description.py", "peak_memory() / 1e6", "peak_memory() / 2e6",
                     id="how it is told"),
    ],
)  # fmt: skip
def test_how_an_epoch_is_recorded_is_no_part_of_what_a_run_is(changed_by, file, old, new):
    """The rule that writes the record runs again and finds that the weights are unchanged."""
    found = changed_by(file, old, new)
    assert "train" in found
    assert not found & {"kernel", "graph", "compiled"}
    # The stages of a corpus write records, too, which have the same version.
    assert bool(found & {"articles", "sentences"}) == (file == "storage/records/base.py")


def test_a_record_of_another_version_is_made_again_by_the_rule_that_writes_it(changed_by):
    first = "    corpus: str = Field"
    later = f"    format: Literal[2] = Field(default=2)\n{first}"
    found = changed_by("storage/records/corpora.py", first, later)
    assert "encode" in found
    assert not found & {"kernel", "graph", "compiled", "splits", "vocabulary"}


def test_a_tie_of_candidates_broken_otherwise_trains_again(changed_by):
    found = changed_by("training/choice.py", "min(outcomes, key=lambda outcome: outcome[0])",
                       "min(outcomes, key=lambda outcome: (outcome[0], -1))")  # fmt: skip
    assert "train" in found
    assert not found & {"kernel", "graph"}  # equal settings have equal identities


def test_a_module_may_be_renamed_and_moved(copied, digests, tmp_path):
    root, before = copied
    moved = tmp_path / "moved"
    shutil.copytree(root, moved)
    package = moved / "online_rnnlm"
    (package / "training" / "schedule.py").rename(package / "model" / "rate.py")
    for file in package.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("training.schedule import", "model.rate import"))
    assert digests(moved) == before


def test_the_identity_changes_with_settings_corpus_and_code():
    identities = {
        identity(SETTINGS, "corpus", "code"),
        identity(SETTINGS.model_copy(update={"seed": 2}), "corpus", "code"),
        identity(SETTINGS, "other corpus", "code"),
        identity(SETTINGS, "corpus", "other code"),
    }
    assert len(identities) == 4
    assert identity(RunSettings(corpus="some"), "corpus", "code") in identities


def test_times_of_files_are_no_part(copied, digests):
    root, before = copied
    for file in root.rglob("*.py"):
        os.utime(file)
    assert digests(root) == before


@pytest.mark.parametrize("start", ["nowhere", "training.nowhere", "training.loop:nowhere"])
def test_code_that_is_not_there_is_an_error(start):
    with pytest.raises(ValueError, match="nowhere"):
        code.code_digest(start)


def test_sources_that_are_not_there_are_an_error():
    with pytest.raises(ValueError, match="nowhere"):
        modules.module_sources("nowhere")


def test_a_modules_sources_are_its_own_and_what_it_imports():
    names = {str(path.relative_to(PACKAGE)) for path in modules.module_sources("corpora.splitting")}
    assert {"corpora/splitting.py", "corpora/corpus.py", "errors.py", "__init__.py"} <= names
    assert not {"commands/_main.py", "analysis/results.py"} & names


def test_digests_import_nothing_of_what_they_cover():
    script = (
        "import sys; from online_rnnlm.storage import code, modules\n"
        "code.code_digest('commands.report:run'); modules.module_sources('commands.report')\n"
        "print('pandas' in sys.modules, 'online_rnnlm.analysis.report' in sys.modules)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_every_module_can_be_digested(monkeypatch):
    monkeypatch.setattr(code, "remembered", lambda question, package, find: find())
    for file in PACKAGE.rglob("*.py"):
        module = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        assert len(code.code_digest(module.removesuffix(".__init__") or "errors")) == 64
        ast.parse(file.read_text(encoding="utf-8"))
