"""Tests of the built wheel in an environment that has only what a trained model needs."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.packages import environment_with
from tests.processes import output_of
from tests.rounding import same_but_for_rounding

pytestmark = pytest.mark.slow  # a training, a wheel, and processes

ROOT = Path(__file__).parents[3]
UNCOMPILED = os.environ | {"NUMBA_DISABLE_JIT": "1"}
"""So few sentences are sooner scored by plain Python than kernels compiled for another place."""
TEXT = "The cat sees the hen, Mr. Mouse.\nThe storm fears the whale n5.\n"


def light_packages() -> list[str]:
    """The packages of the tool's lock, without those for other systems."""
    lock = (ROOT / "locks/tool.lock").read_text(encoding="utf-8")
    found = re.findall(r"^(\S+)==\S+( ;)?", lock, flags=re.MULTILINE)
    return [name for name, marker in found if not marker]


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
    (source / "resources").mkdir()
    for model in (ROOT / "resources").glob("*.onlm"):
        (source / "resources" / model.name).symlink_to(model)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*pip, *build, folder, source], check=True)
    programs = environment_with(light_packages(), folder / "venv")
    [wheel] = folder.glob("*.whl")
    into = ["--python", programs / "python", "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, *into, wheel], check=True)
    return programs


def test_the_light_installation_does_what_the_whole_one_does(
    light, results, names, trained_path, trained, run, tmp_path
):
    learning = ("--updates", "all", "--learning-rate", "0.03", "--unit-of-text", "stream")
    for verb, options, text in (
        ("score", ("--per", "word", "--format", "tsv", *learning), TEXT),
        ("info", (), ""),
    ):
        named = (trained_path,) if verb == "info" else ("--model", trained_path)
        command = (verb, *named, *options)
        found = output_of([light / "online-rnnlm", *command], input=text, env=UNCOMPILED)
        assert found.returncode == 0, found.stderr
        assert same_but_for_rounding(found.stdout, run(*command, text=text).out), verb
    export = ["export", results.run(names.VECTOR).path, "-o", "again.onlm"]
    assert output_of([light / "online-rnnlm", *export], cwd=tmp_path).returncode == 0
    assert (tmp_path / "again.onlm").read_bytes() == trained_path.read_bytes()
    code = (
        f"from online_rnnlm import load\n"
        f"print(load({str(trained_path)!r}).score({TEXT.splitlines()})['log_probability'].tolist())"
    )
    expected = trained.score(TEXT.splitlines())["log_probability"].tolist()
    found = output_of([light / "python", "-c", code], env=UNCOMPILED)
    assert same_but_for_rounding(found.stdout, f"{expected}\n")


def test_the_light_installation_has_the_models_of_the_project(light, run):
    text = "The opera. The tenor sang."
    found = output_of([light / "online-rnnlm", "show", text], env=UNCOMPILED)
    assert found.returncode == 0, found.stderr
    assert same_but_for_rounding(found.stdout, run("show", text).out)


def test_the_light_installation_compiles_kernels(light, tmp_path):
    """One that multiplies matrices, for which numba needs a package that it does not require."""
    code = (
        "import numpy as np\n"
        "from online_rnnlm.core.engines.kernels.elementwise import add_product\n"
        "a, b, total = np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 4))\n"
        "add_product(a, b, total)\n"
        "print(len(add_product.signatures), total.sum())"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    found = output_of([light / "python", "-c", code], env=environment)
    assert (found.stdout, found.returncode) == ("1 32.0\n", 0), found.stderr


@pytest.mark.parametrize("way", ["target", "user"])
def test_pip_may_install_it_into_a_folder_or_for_one_user(light, tmp_path, way):
    """The places that pip gives the package and its models, on Debian's Python, too."""
    [wheel] = light.parents[1].glob("*.whl")
    lib = tmp_path if way == "target" else tmp_path / "lib/python3.13/site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "wheel")
        assert {"online_rnnlm/py.typed", "online_rnnlm/__init__.pyi"} <= {*archive.namelist()}
        templates = {name for name in archive.namelist() if "/analysis/templates/" in name}
    assert len(templates) == len([*(ROOT / "src/online_rnnlm/analysis/templates").iterdir()])
    lib.mkdir(parents=True, exist_ok=True)
    shutil.move(tmp_path / "wheel" / "online_rnnlm", lib / "online_rnnlm")
    [data] = (tmp_path / "wheel").glob("*.data/data/share")
    shutil.move(data, tmp_path / "share")
    code = "from online_rnnlm.storage import paths; print(paths.SUPPLIED_MODEL)"
    environment = {"PYTHONPATH": str(lib), "PATH": "/usr/bin:/bin"}
    found = output_of([sys.executable, "-S", "-c", code], env=environment, check=True)
    expected = tmp_path / "share/online-rnnlm/wikipedia-100-20.onlm"
    assert found.stdout == f"{expected}\n" and expected.is_file()


@pytest.mark.parametrize("verb", ["score", "track"])
def test_a_verb_that_needs_the_pipeline_says_so_in_one_line(light, results, tmp_path, verb):
    named = {"score": ("--model", "models:/name@best"), "track": (results.path,)}[verb]
    found = output_of([light / "online-rnnlm", verb, *named], cwd=tmp_path, input=TEXT)
    assert found.returncode == 1, found.stderr
    [line] = found.stderr.splitlines()
    assert line.startswith("online-rnnlm: error: ")
    assert "this needs the Python package `" in line and "online-rnnlm[pipeline]" in line
