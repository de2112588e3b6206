"""Tests that the whole workflow runs with one class for all words, which is the full softmax."""

import json


def test_from_the_text_to_the_report_with_one_class(project, own_text):
    one = {"rule": "exchange", "count": 1}
    configuration = project.configure(
        experiment="tiny",
        corpora={"own": {**own_text(project), "classes": one}},
        training={"max_epochs": 1, "hidden_size": 4},
        rows=[{"document_size": 0}, {"document_size": 2}],
        testing={"updates": ["all"], "rivals": ["unigram_cache", "kneser_ney"]},
    )
    project.succeed("--cores", "1", "--configfile", configuration)
    results = project.path / "results" / "tiny"
    statistics = json.loads((results / "corpora/own/statistics.json").read_text(encoding="utf-8"))
    words = statistics["vocabulary_size"]
    assert (statistics["classes"], statistics["class_rule"]) == (1, "exchange")
    assert statistics["splits"]["test"]["mean_class_size"] == words > 1
    for run in ("own-M4-D0-seed1", "own-M4-D2-seed1"):
        found = json.loads((results / f"runs/{run}/result.json").read_text(encoding="utf-8"))
        assert 1 < found["valid_perplexity"] < words
    table = (results / "tables/corpora.md").read_text(encoding="utf-8")
    assert f"own: classes by the rule exchange; words in the largest: {words};" in table
    page = (results / "report.html").read_text(encoding="utf-8")
    setting = page.partition("own: classes.rule")[2].partition("</tr>")[0]
    assert "exchange" in setting
    assert "assumed" in setting
