import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from online_rnnlm.analysis.collect import Results, chosen, collect
from online_rnnlm.analysis.published import Published, load_published
from online_rnnlm.analysis.rendering import Column, Table, integer, label, to_latex, to_markdown
from online_rnnlm.analysis.tables import (
    perplexity_table,
    search_table,
    tables,
    updates_table,
    write_tables,
)
from online_rnnlm.errors import UserError
from online_rnnlm.runs import write_json

Invented = Callable[..., Results]

COLUMNS = [
    "corpus",
    "hidden_size",
    "document_size",
    "seeds",
    "parameters",
    "multiply_adds_per_word",
    "train_perplexity",
    "valid_perplexity",
    "test_perplexity",
    "test_perplexity_vector_still",
    "words_per_second",
    "published_test_perplexity",
]
MEANS = ["train_perplexity", "valid_perplexity", "test_perplexity", "test_perplexity_vector_still"]


def _set_evaluation(results: Results, run: str, updates: str, perplexity: dict[str, float]) -> None:
    path = results.directory.evaluation(run, updates)
    figures = json.loads(path.read_text())
    for split, value in perplexity.items():
        figures["splits"][split]["perplexity"] = value
    write_json(path, figures)


def test_csv_has_exactly_the_columns_and_the_configurations_order(
    invented: Invented, published_file: Path
) -> None:
    results = invented()
    write_tables(results.experiment, results.directory, published_file)
    csv = pd.read_csv(results.directory.table("perplexity", "csv"))
    assert list(csv.columns) == COLUMNS
    models = list(zip(csv["hidden_size"], csv["document_size"], strict=True))
    assert models == [(100, 0), (120, 0), (100, 20), (135, 0), (100, 35)]
    assert set(csv["published_test_perplexity"]) == {"unknown"}
    assert list(csv["test_perplexity_vector_still"].isna()) == [True, True, False, True, False]


def test_a_vectors_row_shows_the_learning_vector_and_beside_it_the_still_one(
    invented: Invented, published: Published
) -> None:
    results = invented()
    name = "invented-M100-D20-seed1"
    online = {"train": 50.0, "valid": 60.0, "test": 70.0}
    _set_evaluation(results, name, "document_vector", online)
    _set_evaluation(results, name, "none", {"train": 51.0, "valid": 61.0, "test": 71.0})
    again = collect(results.experiment, results.directory)
    data = perplexity_table(again, published).data
    row = data[data["document_size"] == 20].iloc[0]
    assert [row[key] for key in MEANS] == [50.0, 60.0, 70.0, 71.0]


def test_several_seeds_give_mean_and_sample_deviation_side_by_side(
    invented: Invented, published: Published
) -> None:
    results = invented(seeds=[1, 2, 3], rows=[{"hidden_size": 100}])
    for seed, value in zip([1, 2, 3], [100.0, 102.0, 107.0], strict=True):
        _set_evaluation(results, f"invented-M100-D0-seed{seed}", "none", {"test": value})
    again = collect(results.experiment, results.directory)
    data = perplexity_table(again, published).data
    row = data.iloc[0]
    assert row["seeds"] == 3
    assert row["test_perplexity"] == pytest.approx(103.0)
    assert row["test_perplexity_sd"] == pytest.approx(13**0.5)  # ((-3)² + (-1)² + 4²) / 2
    for key in [*MEANS, "words_per_second"]:
        assert list(data.columns).index(f"{key}_sd") == list(data.columns).index(key) + 1


def test_the_search_is_decided_on_valid_and_never_on_test(
    invented: Invented, published: Published
) -> None:
    results = invented(
        rows=[{"hidden_size": 100}], search={"learning_rate": [0.1, 0.2]}, seeds=[1, 2]
    )
    better_on_valid = {"valid": 90.0, "test": 200.0}
    better_on_test = {"valid": 91.0, "test": 20.0}
    for seed in (1, 2):
        _set_evaluation(
            results, f"invented-M100-D0-learning_rate0.1-seed{seed}", "none", better_on_valid
        )
        _set_evaluation(
            results, f"invented-M100-D0-learning_rate0.2-seed{seed}", "none", better_on_test
        )
    again = collect(results.experiment, results.directory)
    data = perplexity_table(again, published).data
    assert len(data) == 1
    assert data.iloc[0]["test_perplexity"] == 200.0
    search = search_table(again).data
    assert list(search["valid_perplexity"]) == [90.0, 91.0]
    assert list(search["chosen"]) == [True, False]
    assert not [column for column in search.columns if "test" in column]
    assert set(chosen(again)["searched"]) == {"learning_rate 0.1"}


def test_a_search_of_seeds_means_beats_one_lucky_seed(invented: Invented) -> None:
    results = invented(
        rows=[{"hidden_size": 100}], search={"learning_rate": [0.1, 0.2]}, seeds=[1, 2]
    )
    values = {(0.1, 1): 80.0, (0.1, 2): 120.0, (0.2, 1): 95.0, (0.2, 2): 95.0}
    for (rate, seed), value in values.items():
        name = f"invented-M100-D0-learning_rate{rate}-seed{seed}"
        _set_evaluation(results, name, "none", {"valid": value})
    again = collect(results.experiment, results.directory)
    assert set(chosen(again)["searched"]) == {"learning_rate 0.2"}


@pytest.mark.parametrize("missing", ["run", "result", "metrics"])
def test_a_run_that_lacks_a_file_is_named(invented: Invented, missing: str) -> None:
    results = invented()
    path = getattr(results.directory.run("invented-M120-D0-seed1"), missing)
    path.unlink()
    with pytest.raises(UserError, match=str(path)):
        collect(results.experiment, results.directory)


def test_an_evaluation_of_an_older_training_is_refused(invented: Invented) -> None:
    results = invented()
    path = results.directory.evaluation("invented-M120-D0-seed1", "none")
    write_json(path, json.loads(path.read_text()) | {"identity": "older"})
    with pytest.raises(UserError, match="older training"):
        collect(results.experiment, results.directory)


def test_a_broken_metrics_line_is_named(invented: Invented) -> None:
    results = invented()
    path = results.directory.run("invented-M120-D0-seed1").metrics
    path.write_text(path.read_text() + '{"epoch": \n')
    with pytest.raises(UserError, match=rf"{path}:\d+: not JSON"):
        collect(results.experiment, results.directory)


def test_tables_are_the_same_bytes_every_time(invented: Invented, published_file: Path) -> None:
    results = invented(seeds=[1, 2])
    contents = []
    for _ in range(2):
        write_tables(results.experiment, results.directory, published_file)
        files = sorted((results.directory.path / "tables").iterdir())
        contents.append([(path.name, path.read_bytes()) for path in files])
    assert contents[0] == contents[1]
    assert len(contents[0]) == 8


def test_only_searching_makes_a_search_table(invented: Invented, published: Published) -> None:
    names = [table.name for table in tables(invented(), published)]
    assert names == ["corpora", "perplexity"]


UPDATES = {"updates": ["all", ["document_vector", "output"]]}
TWO_ROWS = [{"hidden_size": 100}, {"hidden_size": 100, "document_size": 20}]


def test_only_learning_weights_make_an_updates_table(
    invented: Invented, published: Published
) -> None:
    names = [table.name for table in tables(invented(testing=UPDATES), published)]
    assert names == ["corpora", "perplexity", "updates"]


def test_the_updates_table_sets_what_learns_side_by_side(invented: Invented) -> None:
    results = invented(rows=TWO_ROWS, testing=UPDATES)
    online, static = "invented-M100-D20-seed1", "invented-M100-D0-seed1"
    values = {
        (static, "none"): (61.0, 71.0),
        (static, "all"): (62.0, 70.0),
        (static, "output"): (63.0, 73.0),
        (online, "none"): (64.0, 74.0),
        (online, "document_vector"): (54.0, 64.0),
        (online, "all"): (55.0, 65.0),
        (online, "document_vector+output"): (56.0, 66.0),
    }
    for (name, updates), (valid, test) in values.items():
        _set_evaluation(results, name, updates, {"valid": valid, "test": test})
    table = updates_table(collect(results.experiment, results.directory))
    names = ["none", "document_vector", "all", "document_vector+output", "output"]
    wanted = [
        key
        for name in names
        for key in (
            f"valid_perplexity_{name}",
            f"test_perplexity_{name}",
            f"words_per_second_{name}",
        )
    ]
    assert list(table.data.columns) == ["corpus", "hidden_size", "document_size", "seeds", *wanted]
    for row, run in zip((0, 1), (static, online), strict=True):
        for name in names:
            found = table.data.iloc[row][[f"{s}_perplexity_{name}" for s in ("valid", "test")]]
            assert (run, name) not in values or tuple(found) == values[run, name]
            assert ((run, name) in values) == (not found.isna().any())
    assert set(table.data["words_per_second_all"]) == {90_000.0}
    bold = [
        [heading for heading, best in zip(table.headings, marks, strict=True) if best]
        for marks in table.best()
    ]
    assert bold == [
        ["Valid perplexity, nothing", "Test perplexity, all"],
        ["Valid perplexity, document vector", "Test perplexity, document vector"],
    ]


def test_the_updates_table_has_means_over_seeds(invented: Invented, published_file: Path) -> None:
    results = invented(rows=TWO_ROWS[:1], testing={"updates": ["all"]}, seeds=[1, 2])
    for seed, value in ((1, 100.0), (2, 104.0)):
        _set_evaluation(results, f"invented-M100-D0-seed{seed}", "all", {"test": value})
    again = collect(results.experiment, results.directory)
    row = updates_table(again).data.iloc[0]
    assert row["test_perplexity_all"] == 102.0
    assert row["test_perplexity_all_sd"] == pytest.approx(8**0.5)
    write_tables(results.experiment, results.directory, published_file)
    for kind in ("csv", "md", "tex", "html"):
        assert results.directory.table("updates", kind).stat().st_size > 0


def test_an_evaluation_with_another_rate_is_refused(invented: Invented) -> None:
    results = invented(testing={"updates": ["all"]})
    path = results.directory.evaluation("invented-M120-D0-seed1", "all")
    other = json.loads(path.read_text()) | {"testing": {"learning_rate": 9.0, "steps": 5}}
    write_json(path, other)
    with pytest.raises(UserError, match=f"{path}: tested with another `testing`"):
        collect(results.experiment, results.directory)


def test_special_characters_are_escaped_and_the_best_is_bold() -> None:
    data = pd.DataFrame({"text": ["a|b <unk> 5 % $x_1$", "{c}"], "number": [1234, 1]})
    columns = [
        Column("Text & more", label("text"), text=True),
        Column("Number", integer("number"), best=lambda rows: rows["number"] == 1234),
    ]
    table = Table("odd", "An_odd table", data, columns)
    markdown = to_markdown(table)
    assert r"a\|b \<unk\>" in markdown
    assert "**1,234**" in markdown
    latex = to_latex(table)
    assert r"a|b \textless{}unk\textgreater{} 5 \% \$x\_1\$" in latex
    assert r"Text \& more & Number" in latex
    assert r"\textbf{1,234}" in latex
    assert r"\{c\} & 1" in latex


def test_published_numbers_need_their_status(tmp_path: Path) -> None:
    path = tmp_path / "published.yaml"
    row = "rows:\n  - {hidden_size: 100, document_size: 0, source: table 1, "
    path.write_text(row + "status: published, test_perplexity: 1.5}\n")
    published = load_published(path)
    assert published.test_perplexity(100, 0) == "1.5"
    assert published.test_perplexity(7, 0) == "unknown"
    for wrong in ("status: published}", "status: unknown, test_perplexity: 1.5}", "status: ?}"):
        path.write_text(row + wrong)
        with pytest.raises(UserError, match=f"{path}: "):
            load_published(path)
