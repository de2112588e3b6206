"""Tests of the files around a configuration: its own, those it names, and its folders."""

import json
import os
import shutil
from pathlib import Path

import pytest

from online_rnnlm.commands import _arguments
from online_rnnlm.config import loading
from online_rnnlm.errors import UserError
from online_rnnlm.pipeline.configuration import (
    check_files,
    check_values,
    one_file,
    read_configuration,
    refuse_another_file,
    remember_file,
    write_configuration,
)
from online_rnnlm.pipeline.inputs import downloads, published_file
from online_rnnlm.storage.paths import experiment_directory


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.yaml", "b.yaml"):
        Path(name).touch()
    return tmp_path


def experiment(name="x", source=None, **changed):
    corpora = {"c": {"source": source or {"kind": "wikipedia-vital"}}}
    values = {"experiment": name, "corpora": corpora, "rows": [{"hidden_size": 8}]}
    return loading.parse({**values, **changed})


def _refused(function, *arguments):
    with pytest.raises(UserError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_results_and_downloads_have_different_folders():
    for wrong in (
        experiment("downloads"),
        experiment("mine", downloads="results/mine"),
        experiment("mine", downloads="results/../results/mine/text"),
        experiment("mine", downloads=str(Path("results/mine").absolute())),
    ):
        message = _refused(check_files, wrong, "a.yaml")
        assert message.startswith(f"a.yaml: `experiment`: {wrong.experiment}: ")
    check_files(experiment("mine", downloads="elsewhere"), "a.yaml")


@pytest.mark.parametrize(
    ("in_the_way", "key"),
    [("results", "downloads"), ("results/x", "experiment"), ("README.md", "downloads")],
)
def test_a_file_in_the_way_of_a_folder_is_named(in_the_way, key):
    Path(in_the_way).parent.mkdir(exist_ok=True)
    Path(in_the_way).touch()
    downloads = "README.md" if in_the_way == "README.md" else "results/downloads"
    message = _refused(check_files, experiment(downloads=downloads), "a.yaml")
    assert message.startswith(f"a.yaml: `{key}`: {in_the_way} is a file")


def test_results_may_be_a_link_to_another_disk(project, tmp_path_factory):
    (project / "results").symlink_to(tmp_path_factory.mktemp("disk"))
    check_files(experiment(), "a.yaml")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("missing.txt", "no such file"),
        (".", "directory"),
        ("a" * 300, "too long"),
        ("{x}.txt", "braces"),
        ("pipe", "not a regular file"),
    ],
    ids=["missing", "a folder", "a long name", "a wildcard", "a pipe"],
)
def test_a_text_that_cannot_be_read_is_named(name, expected):
    os.mkfifo("pipe")
    wrong = experiment(source={"kind": "text", "file": name})
    message = _refused(check_files, wrong, "a.yaml")
    assert message.startswith("a.yaml: `corpora.c.source.file`: ")
    assert expected in message


@pytest.mark.parametrize(
    ("files", "key", "expected"),
    [
        ({"train": "a.yaml", "valid": "b.yaml", "test": "link"}, "test", "`train`: a model"),
        ({"train": ["*.yaml"], "valid": "a.yaml", "test": "b.yaml"}, "valid", "`train`: a model"),
        ({"train": "link", "valid": ["b.yaml", "link"], "test": "a.yaml"}, "valid[1]", "`train`"),
        ({"file": ["a.yaml", "*.yaml"]}, "file[1]", "`file[0]`: each is read once"),
    ],
)
def test_one_file_is_not_read_twice(files, key, expected):
    Path("link").symlink_to("a.yaml")
    wrong = experiment(source={"kind": "text", **files})
    message = _refused(check_files, wrong, "x.yaml")
    assert message.startswith(f"x.yaml: `corpora.c.source.{key}`: ")
    assert f"is the same file as one of {expected}" in message


def test_a_damaged_record_of_the_configuration_file_is_made_anew():
    mine, directory = experiment(), experiment_directory("x")
    directory.configuration_file.parent.mkdir(parents=True)
    directory.configuration_file.write_text("garbage", encoding="utf-8")
    refuse_another_file(mine, ["a.yaml"], directory)
    remember_file(mine, ["a.yaml"], directory)
    _refused(refuse_another_file, mine, ["b.yaml"], directory)


def test_a_folder_for_downloads_has_no_braces():
    message = _refused(check_files, experiment(downloads="a/{b}"), "x.yaml")
    assert message.startswith("x.yaml: `downloads`: a/{b}: leave out the braces")


@pytest.mark.parametrize(
    ("files", "arguments"),
    [
        (["a.yaml", "b.yaml"], ["--configfile", "a.yaml", "b.yaml"]),
        (["b.yaml"], ["--configfile", "a.yaml", "--configfile", "b.yaml"]),
        (["b.yaml"], ["--configfiles=a.yaml", "-n", "--configfile", "b.yaml"]),
        (["a.yaml", "b.yaml"], []),
    ],
    ids=["one option", "two options", "two names", "not by the command line"],
)
def test_several_configuration_files_are_refused(files, arguments):
    message = _refused(one_file, files, arguments)
    assert "a.yaml and b.yaml" in message
    assert "--config KEY=VALUE" in message


def test_one_configuration_file_is_right():
    one_file([], ["--cores", "1"])
    one_file(["a.yaml"], ["--cores", "1", "--configfile", "a.yaml", "--config", "seeds=[1]"])


def test_results_of_another_file_are_refused_until_its_mark_is_deleted():
    mine, directory = experiment(), experiment_directory("x")
    refuse_another_file(mine, ["a.yaml"], directory)
    remember_file(mine, ["a.yaml"], directory)
    refuse_another_file(mine, ["a.yaml"], directory)
    message = _refused(refuse_another_file, mine, ["b.yaml"], directory)
    for text in ("b.yaml", "`experiment`", "a.yaml has the same name", "results/x"):
        assert text in message
    Path(message.rpartition(" ")[2]).unlink()
    refuse_another_file(mine, ["b.yaml"], directory)


def test_the_same_file_under_another_name_is_the_same(project):
    mine, directory = experiment(), experiment_directory("x")
    remember_file(mine, ["a.yaml"], directory)
    Path("link.yaml").symlink_to("a.yaml")
    refuse_another_file(mine, ["link.yaml"], directory)
    refuse_another_file(mine, [project / "a.yaml"], directory)
    refuse_another_file(mine, [], directory)  # another workflow's values, without a file
    Path("a.yaml").rename("c.yaml")
    refuse_another_file(mine, ["c.yaml"], directory)


def test_the_copy_that_the_results_have_is_no_other_file():
    """The report's commands name it."""
    mine, directory = experiment(), experiment_directory("x")
    remember_file(mine, ["a.yaml"], directory)
    write_configuration(mine, directory)
    refuse_another_file(mine, [directory.configuration], directory)
    remember_file(mine, [directory.configuration], directory)
    refuse_another_file(mine, ["a.yaml"], directory)


def test_results_that_were_copied_or_renamed_belong_to_the_new_name():
    remember_file(experiment("x"), ["a.yaml"], experiment_directory("x"))
    Path("results/x").rename("results/y")
    refuse_another_file(experiment("y"), ["b.yaml"], experiment_directory("y"))


def test_folders_that_share_their_results_do_not_share_an_experiment(
    project, tmp_path_factory, monkeypatch
):
    mine, directory = experiment(), experiment_directory("x")
    remember_file(mine, ["a.yaml"], directory)
    sharing = tmp_path_factory.mktemp("sharing")
    (sharing / "a.yaml").touch()
    (sharing / "results").symlink_to(project / "results")
    copied = tmp_path_factory.mktemp("copied") / "project"
    shutil.copytree(project, copied)
    monkeypatch.chdir(sharing)
    message = _refused(refuse_another_file, mine, ["a.yaml"], directory)
    assert f"{project / 'a.yaml'} has the same name" in message
    monkeypatch.chdir(copied)
    refuse_another_file(mine, ["a.yaml"], directory)  # the copy is its own


def test_the_papers_numbers_are_ones_own_or_the_projects(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert published_file(elsewhere) == str(elsewhere / _arguments.PUBLISHED)
    assert "braces" in _refused(published_file, elsewhere / "{x}")
    _arguments.PUBLISHED.parent.mkdir()
    _arguments.PUBLISHED.touch()
    assert published_file(elsewhere) == str(_arguments.PUBLISHED)


def test_a_value_behind_config_is_checked_as_yaml():
    check_values(["--cores", "1", "--config", "seeds=[1,2]", "training={max_epochs: 2}", "x=a b"])
    for arguments, expected in (
        (["--config", "training={max_epochs: 1, max_epochs: 2}"], "`max_epochs` is there already"),
        (["-C", "seeds=[1", "experiment=x"], "--config seeds, line 1: not YAML"),
        (["--config", "seeds=[010]"], "base 8"),
        (["--config", "seeds=[1]", "-n", "-C", "experiment=x"], "--config: given 2 times"),
        (["--config", "seeds=[1]", "seeds=[2]"], "`seeds` is given twice"),
    ):
        assert expected in _refused(check_values, arguments)


def test_what_snakemake_cannot_give_is_given():
    """It reads `null` in a mapping as text, and merges an empty mapping with the file's."""
    values = {
        "experiment": "x",
        "corpora": {"c": {"source": {"kind": "wikipedia-vital"}, "train_sentences": "null"}},
        "rows": [{"hidden_size": 8}],
        "search": {"l2": [0, 0.1]},
    }
    given = {"corpora": {"c": {"train_sentences": "null"}}, "search": {}}
    found = read_configuration(values, [], given=given)
    assert found.corpora["c"].train_sentences is None
    assert found.search == {}
    Path("a.yaml").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(UserError, match=r"^a\.yaml and --config: `rows`: "):
        read_configuration({**values, "rows": []}, ["a.yaml"], given={**given, "rows": []})


def test_two_downloads_of_one_name_are_refused():
    def corpora(*names):
        return {
            f"c{number}": {
                "source": {
                    "kind": "text",
                    "url": {
                        "address": f"https://h/{number}/x",
                        "sha256": f"{number}" * 64,
                        "name": n,
                    },
                }
            }
            for number, n in enumerate(names)
        }

    assert len(downloads(experiment(corpora=corpora("a", "b")))) == 2
    for names in (("a", "a"), ("a", "a.sha256"), ("a.sha256", "a")):
        message = _refused(downloads, experiment(corpora=corpora(*names)))
        assert "give https://h/1/x another `name`" in message
        assert _refused(check_files, experiment(corpora=corpora(*names)), "a.yaml") == (
            f"a.yaml: {message}"
        )


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("sqlite:///here", "here: is a directory, not a file"),
        ("sqlite:///{absolute}/here", "{absolute}/here: is a directory, not a file"),
        ("sqlite:///b.yaml", "b.yaml: is another file, no database"),
        (f"sqlite:///{'a' * 300}", f"{'a' * 300}: File name too long"),
        ("sqlite:///a.yaml/mlflow.db", "a.yaml is a file: a folder is needed there"),
    ],
)
def test_a_store_that_cannot_be_a_file_is_refused(project, address, reason):
    Path("here").mkdir()
    wrong = experiment(tracking={"store": address.format(absolute=project)})
    message = _refused(check_files, wrong, "x.yaml")
    assert message == f"x.yaml: `tracking.store`: {reason.format(absolute=project)}"


@pytest.mark.parametrize("address", [None, "", "http://here", "sqlite:///new/mlflow.db"])
def test_a_store_that_can_be_made_is_right(address):
    Path("here").mkdir()
    check_files(experiment(tracking={"store": address}), "x.yaml")


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "b.JSON.gz", "c.ndjson.zst"])
def test_a_tokenised_text_with_articles_is_refused(name):
    for file in (name, "b.txt", "c.txt"):
        Path(file).touch()
    for kind in ("text", "penn-treebank"):
        files = {"train": "b.txt", "valid": "c.txt", "test": name}
        tokenised = {"tokenised": True} if kind == "text" else {}
        source = {"kind": kind, **files, **tokenised}
        message = _refused(check_files, experiment(source=source), "x.yaml")
        suffix = Path(name.removesuffix(".gz").removesuffix(".zst")).suffix.lower()
        assert message == (
            f"x.yaml: `corpora.c.source.test`: {name}: tokenised text must be plain, a sentence a "
            f"line, not `{suffix}`"
        )
    check_files(experiment(source={"kind": "text", **files}), "x.yaml")
    check_files(experiment(source={"kind": "wikitext", **files}), "x.yaml")


def test_a_tokenised_text_with_articles_is_not_downloaded():
    url = {"address": "https://host/a.jsonl", "sha256": "1" * 64}
    source = {"kind": "text", "url": url}
    check_files(experiment(source=source), "x.yaml")
    message = _refused(check_files, experiment(source=source | {"tokenised": True}), "x.yaml")
    assert message.startswith("x.yaml: `corpora.c.source.url`: a.jsonl: tokenised text must be")
