"""Tests of the built wheel in an environment that has only what a trained model needs."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # a training, a wheel, and processes

ROOT = Path(__file__).parents[3]
TEXT = "The cat sees the hen, Mr. Mouse.\nThe storm fears the whale n5.\n"


def light_packages() -> list[str]:
    """The packages of the tool's lock, without those for other systems."""
    lock = (ROOT / "requirements-tool.lock").read_text(encoding="utf-8")
    found = re.findall(r"^(\S+)==\S+( ;)?", lock, flags=re.MULTILINE)
    return [name for name, marker in found if not marker]


def link_package(name: str, site: Path) -> None:
    """Make an installed package one of another environment's, too."""
    files = distribution(name).files
    assert files
    for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
        (site / top).symlink_to(distribution(name).locate_file(top))


@pytest.fixture(scope="module")
def light(tmp_path_factory) -> Path:
    """The programs of an environment with the built wheel and the packages of the tool's lock."""
    folder = tmp_path_factory.mktemp("light")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__")
    )
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*pip, *build, folder, source], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    [site] = (folder / "venv" / "lib").glob("python*/site-packages")
    for name in light_packages():
        link_package(name, site)
    [wheel] = folder.glob("*.whl")
    into = ["--python", folder / "venv" / "bin" / "python", "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, *into, wheel], check=True)
    return folder / "venv" / "bin"


def done(command, folder, text=""):
    return subprocess.run(
        [str(part) for part in command],
        input=text,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_has_nothing_of_the_pipeline(light, tmp_path):
    for package in ("pytensor", "mlflow", "snakemake", "pyarrow"):
        distribution(package)
        found = done([light / "python", "-c", f"import {package}"], tmp_path)
        assert f"No module named '{package}'" in found.stderr


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--running", "--static"],
        ["--updates", "all", "--learning-rate", "0.03", "--unit-of-text", "stream"],
    ],
    ids=["vector", "static", "weights"],
)
def test_raw_text_is_scored_as_by_the_whole_installation(light, model_path, run, tmp_path, options):
    command = ["score", model_path, "--per", "word", "--format", "tsv", *options]
    found = done([light / "online-rnnlm", *command], tmp_path, TEXT)
    assert found.returncode == 0, found.stderr
    assert found.stdout == run(*command, text=TEXT).out


def test_the_other_verbs_work(light, results, names, model_path, run, tmp_path):
    lists = "0 ||| the cat sees ||| F= -1 ||| -1\n0 ||| cat the sees ||| F= -2 ||| -2\n"
    for command, text in (
        (["info", model_path], ""),
        (["rescore", model_path], lists),
        (["sample", model_path, "--number", "2"], ""),
        (["vectors", model_path], TEXT),
        (["compare", model_path, model_path, "--static", "second"], TEXT),
    ):
        found = done([light / "online-rnnlm", *command], tmp_path, text)
        assert found.returncode == 0, found.stderr
        assert found.stdout == run(*command, text=text).out
    export = ["export", results.run(names.VECTOR).path, "-o", "again.onlm"]
    assert done([light / "online-rnnlm", *export], tmp_path).returncode == 0
    assert (tmp_path / "again.onlm").read_bytes() == model_path.read_bytes()
    assert "score" in done([light / "online-rnnlm", "completion", "bash"], tmp_path).stdout


def test_python_has_the_same(light, model_path, model, tmp_path):
    code = (
        f"from online_rnnlm import load\n"
        f"print(load({str(model_path)!r}).score({TEXT.splitlines()})['log_probability'].tolist())"
    )
    found = done([light / "python", "-c", code], tmp_path)
    expected = model.score(TEXT.splitlines())["log_probability"].tolist()
    assert found.stdout == f"{expected}\n", found.stderr


@pytest.mark.parametrize("verb", ["score", "track"])
def test_what_needs_the_pipeline_says_so_in_one_line(light, results, tmp_path, verb):
    command, status = {
        "score": (["models:/name@best"], 2),  # the model cannot be used
        "track": ([results.path], 1),
    }[verb]
    found = done([light / "online-rnnlm", verb, *command], tmp_path, TEXT)
    assert found.returncode == status, found.stderr
    [line] = found.stderr.splitlines()
    assert line.startswith("online-rnnlm: error: ")
    assert "this needs the Python package `" in line and "online-rnnlm[pipeline]" in line
