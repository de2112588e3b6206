"""Tests of the audit: scorers that cheat are caught, each by its rule; honest ones pass."""

import io
import json
import re
import shlex
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

from online_rnnlm.auditing.networks import of_model
from online_rnnlm.auditing.programs import Program
from online_rnnlm.auditing.rules import audit_scorer
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.errors import UserError
from online_rnnlm.use.network import split_of
from tests.processes import BARE_ENVIRONMENT, output_of
from tests.project import ROOT
from tests.unit import small_models as small

PAGE = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
[HONEST, IN_PYTHON] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
[COMMANDS, COMPARISON] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
LINES = """\
the cat sees the mouse
the mouse runs
the mouse runs

a ship sails

the sea is wide
a mouse sees the sea
""".splitlines()
TEXT = [line.split() for line in LINES]
WORDS = [*sorted({*" ".join(LINES).split()}), SENTENCE_END, "<unk>"]
# Pieces of the page's scorer, which cheats replace.
LOOP = "for line in sys.stdin:"
SCORE = "        scores.append(log_p(word))"
UPDATE = "        seen[known(word)] += 1"
FORGET = "        seen.clear()\n"
LOG = "return math.log("
OF_ALL = "(seen.total() + len(vocabulary))"
ANSWER = '    print(*scores, "\\t" if place else "", *asked, flush=True)\n'
ASKED = "log_p(candidate) for candidate in"
SURE_AFTER = f"{SCORE[:-1]} * (not sentence.split()[:number][-1:] == ['the']))"


def changed(*pairs: tuple[str, str]) -> str:
    """Return the page's scorer with other code in some places."""
    code = HONEST
    for old, new in pairs:
        assert code.count(old) == 1, old
        code = code.replace(old, new)
    return code


class InProcess(Program):
    """The code of a program that runs in this process, which takes no time to start."""

    def __init__(self, code: str) -> None:
        super().__init__("scorer", seconds=1)
        self._code = compile(code, "scorer", "exec")

    def answers(self, first, rest=""):
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as output:
            patch.setattr(sys, "stdin", io.StringIO(first + rest))
            exec(self._code, {})
        return output.getvalue().splitlines(), 0


@pytest.fixture
def audited(tmp_path, monkeypatch):
    """A function that audits the code of a scorer; returns the rules by name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text(" ".join(WORDS), encoding="utf-8")

    def rules(code, unit="document", words=WORDS, asks=False, text=TEXT, places=5):
        scorer = InProcess(code).scorer(unit, words, asks=asks)
        found = audit_scorer(
            "scorer", replace(scorer, score_halves=None), text, places, tolerance=1e-6
        )
        return {one.rule: one for one in found.rules}

    return rules


def broken(rules) -> list[str]:
    return [name for name, one in rules.items() if one.status == "broken"]


SWAPPED = (f"{SCORE}  # first the score,\n{UPDATE}", f"{UPDATE}\n{SCORE}")
WITHOUT_ENDS = ('[*sentence.split(), "</s>"]', "sentence.split()")
KEEPS_THE_LAST_ANSWER = """\
    answers.append((sentence, scores))
last = dict(answers)
for sentence, _ in answers:
    print(*last[sentence])
"""
READS_A_FILE = """\
kept = Path('kept')
kept.touch()
seen = Counter(kept.read_text().split())"""
CHEATS = {
    "learns the whole sentence before it scores it": (
        [
            ("    scores, ", "    seen.update(map(known, sentence.split()))\n    scores, "),
            (UPDATE, "        pass"),
        ],
        "causality",
    ),
    "prefers what comes before a certain word": (
        [(SCORE, f"{SCORE[:-1]} - ('runs' in sentence.split()[number + 2 :]))")],
        "causality",
    ),
    "reads the text before it scores it": (
        [
            (LOOP, "lines = list(sys.stdin)\nfor line in lines:"),
            (OF_ALL, "(seen.total() + len(vocabulary) + len(lines))"),
        ],
        "causality",
    ),
    "is sure of how a sentence begins": (
        [(SCORE, f"{SCORE[:-1]} * (number > 0))")],
        "normalisation",
    ),
    "predicts only words that it likes": (
        [(SCORE, f"{SCORE[:-1]} if word not in ('sea', 'runs') else '-')")],
        "normalisation",
    ),
    "gives a tenth of its probability to no word": ([(LOG, f"{LOG}0.9 * ")], "normalisation"),
    "gives costs instead of logarithms": ([(LOG, "return -math.log(")], "normalisation"),
    "scores a sentence as the last time that it is there": (
        [
            (LOOP, f"answers = []\n{LOOP}"),
            ("        print(flush=True)", "        answers.append(('', ()))"),
            (ANSWER, KEEPS_THE_LAST_ANSWER),
        ],
        "score before update",
    ),
    "keeps what it learnt in a file": (
        [
            ("seen = Counter()", READS_A_FILE),
            (ANSWER, f"{ANSWER}    kept.write_text(sentence)\n"),
        ],
        "single pass",
    ),
    "draws numbers": (
        [("import sys\n", "import random\nimport sys\n"), (LOG, "return -random.random() - (")],
        "single pass",
    ),
    "forgets only long documents": (
        [(FORGET, "        if seen.total() > 7:\n            seen.clear()\n")],
        "reset",
    ),
}
"""By name: the changes of the page's scorer, and the rule that it breaks."""
ASKED_CHEATS = {
    "learns a word before it scores it": [SWAPPED],
    "gives the candidates other scores": [(ASKED, f"-0.1 + {ASKED}")],
    "prefers the candidate that is there": [
        (ASKED, "log_p(candidate) + math.log(1.1 if candidate == word else 0.9) for candidate in"),
        (SCORE, SCORE.replace("log_p(word)", "log_p(word) + math.log(1.1)")),
    ],
}


@pytest.mark.parametrize(
    ("unit", "asks", "words", "edits"),
    [
        ("stream", False, WORDS, []),
        ("document", True, [*WORDS, *WORDS], []),
        ("document", False, WORDS, [WITHOUT_ENDS]),
        ("stream", True, (), [WITHOUT_ENDS]),
        ("document", False, (), []),
    ],
)
def test_an_honest_scorer_passes_and_normalisation_says_if_it_is_exact(
    audited, unit, asks, words, edits
):
    code = changed(*edits, *([(FORGET, "")] if unit == "stream" else []))
    if edits:
        code = code.replace(".split())  # </s>", ".split()) - {'</s>'}  # </s>")
    rules = audited(code, unit, words, asks)
    assert broken(rules) == []
    assert len(rules) == 5
    number = len(WORDS) - bool(edits)
    exact = f"the sum over all {number} words"
    bound = f"a lower bound of the sum, over {number - 1} words"
    assert (exact if words else bound) in rules["normalisation"].said
    assert rules["reset"].status == ("holds" if unit == "document" else "not claimed")


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_caught_by_its_rule_and_shown_by_a_short_text(audited, name):
    edits, rule = CHEATS[name]
    rules = audited(changed(*edits))
    assert rule in broken(rules)
    shown = rules[rule].shortest
    # What a file keeps from one run to the next cannot be shown again.
    assert len(shown.text) <= 4 or "file" in name
    words = [*shown.text[shown.line - 1].split(), SENTENCE_END]
    assert f"`{words[shown.word - 1]}`" in shown.said
    assert shown.before is None or shown.after is None or abs(shown.before - shown.after) > 1e-6


UNKNOWN_TEXT = [["zebra" if word == "ship" else word for word in line] for line in TEXT]


@pytest.mark.parametrize("asks", [False, True])
@pytest.mark.parametrize("log", ["math.log(0.5)", "0.0"])
def test_a_word_that_the_vocabulary_lacks_has_the_score_of_unknown_words(audited, log, asks):
    honest = audited(HONEST, asks=asks, text=UNKNOWN_TEXT)
    assert broken(honest) == []
    assert f"all {len(WORDS)} words, and 1 unknown word as `<unk>`" in honest["normalisation"].said
    cheat = (LOG, f"return {log} if word not in vocabulary else math.log(")
    rules = audited(changed(cheat), asks=asks, text=UNKNOWN_TEXT)
    assert broken(rules) == ["normalisation"]
    said = "`zebra`, which is not in the vocabulary, has another score than `<unk>`"
    assert rules["normalisation"].said == said


def test_a_word_that_the_vocabulary_lacks_is_refused_if_it_has_no_unknown_word(audited):
    with pytest.raises(UserError, match="`zebra` is in the text, but not in the vocabulary"):
        audited(HONEST, words=WORDS[:-1], text=UNKNOWN_TEXT)


def test_a_scorer_that_answers_for_candidates_leaves_out_no_word(audited):
    """A scorer that answers for candidates could still leave out the words that it dislikes."""
    cheat = (SCORE, f"{SCORE[:-1]} if word != 'sea' else '-')")
    assert broken(audited(changed(cheat), asks=True)) == ["normalisation", "score before update"]
    first = [
        (SCORE, SCORE.replace("log_p(word)", "log_p(word) if seen else '-'")),
        (ASKED, f"log_p(candidate) if seen else '-' {ASKED.partition(' ')[2]}"),
    ]
    assert broken(audited(changed(*first), asks=True)) == []


@pytest.mark.parametrize("name", ASKED_CHEATS)
def test_a_cheat_with_candidates_is_caught(audited, name):
    assert "score before update" in broken(audited(changed(*ASKED_CHEATS[name]), asks=True))


def test_an_unnormalised_cache_is_caught_by_a_bound_and_a_sum_below_1_is_not(audited):
    """A stream without a vocabulary: the words of the text, each in a text of its own."""
    shared = ("(seen.total() + len(vocabulary))", "(0.05 * seen.total() + len(vocabulary))")
    rules = audited(changed(shared, (FORGET, "")), "stream", ())
    assert broken(rules) == ["normalisation"]
    below = changed(("return math.log(", "return -1 + math.log("), (FORGET, ""))
    assert broken(audited(below, "stream", ())) == []


@pytest.mark.parametrize("unit", ["stream", "document"])
def test_without_a_vocabulary_too_no_two_words_are_sure_to_come(audited, unit):
    """All other words that have one score in a place may be unknown ones."""
    forgets = [] if unit == "document" else [(FORGET, "")]
    for code in (SCORE[:-1] + " * 0)", SURE_AFTER):
        assert broken(audited(changed((SCORE, code), *forgets), unit, ())) == ["normalisation"]
    for log, status in (("-0.01", "not tested"), ("-0.01 - len(word)", "holds")):
        code = changed((SCORE, f"{SCORE[:-1]} * 0 + {log})"), *forgets)
        assert audited(code, unit, ())["normalisation"].status == status


def test_the_shortest_text_is_found(audited):
    """The rare word is the only one that the scorer looks for, in a text of many."""
    text = [*TEXT * 3, ["wide", "sea", "a", "king"], *TEXT]
    cheat = changed((SCORE, f"{SCORE[:-1]} - ('king' in line and number == 0))"))
    shown = audited(cheat, "document", text=text, places=200)["causality"].shortest
    assert (shown.line, shown.word, len(shown.text)) == (1, 1, 1)
    words = [*" ".join(shown.text).split(), *" ".join(shown.other).split()]
    assert words.count("king") == 1 and len(words) <= 4
    assert abs(shown.before - shown.after) == pytest.approx(1)


@pytest.mark.slow  # some hundred processes
def test_the_page_is_right(tmp_path, monkeypatch, run):
    """Its scorer passes, its cheat does not, and the answers are those on the page."""
    (tmp_path / "scorer.py").write_text(HONEST, encoding="utf-8")
    blocks = re.findall(r"(?:^    .*\n)+", PAGE, re.MULTILINE)
    answers = [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks]
    done = output_of(["bash", "-ec", COMMANDS], cwd=tmp_path, env=BARE_ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout in answers
    monkeypatch.chdir(tmp_path)
    lines = [line.split() for line in Path("text.txt").read_text().splitlines()]
    scorer = InProcess(changed(SWAPPED)).scorer(
        "document", Path("words.txt").read_text().split(), asks=True
    )
    found = audit_scorer("scorer", replace(scorer, score_halves=None), lines, 5, 1e-4)
    assert "score before update" in found.broken
    assert any(answer in str(found) for answer in answers)
    for line in COMPARISON.splitlines():
        command, _, file = line.removeprefix("online-rnnlm ").partition(" > ")
        done = run(*shlex.split(command))
        Path(file or "compared").write_text(done.out, encoding="utf-8")
    assert done.status == 0 and " 2 documents" in done.out


def test_the_function_of_the_page_passes(capsys):
    exec(IN_PYTHON, {})
    assert "the sum over all 50 words" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise SystemExit(3)", "0 lines of answer, and status 3, for 8 lines"),
        ("print('-1 ' * 5)", "1 lines of answer, and status 0, for 8 lines"),
        ("for line in open(0): print('-1 -1')", "answers `-1 -1` for `the cat sees the mouse`"),
        ("for line in open(0): print('nan ' * len(line.split()))", "answers `nan nan"),
        ("for line in open(0): print('-1 ' * len(line.split()))", "answers `-1 -1 -1 -1 -1 -1"),
        ("import os; os.system('sleep 99')", "has not answered and ended within 0.5 s"),
    ],
)
def test_a_program_that_breaks_the_protocol_is_one_line(tmp_path, refused, code, expected):
    (tmp_path / "text.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    (tmp_path / "words.txt").write_text("the cat sees <unk>", encoding="utf-8")
    command = shlex.join([sys.executable, "-c", code])
    seconds = 0.5 if "sleep" in code else 60
    asked = ["--ask", "--vocabulary", tmp_path / "words.txt", "--seconds", seconds]
    line = refused("audit", "--command", command, "--text", tmp_path / "text.txt", *asked)
    assert expected in line


def test_a_rule_that_was_not_tested_is_no_success(tmp_path, run):
    (tmp_path / "text.txt").write_text("a b c\nb c a\n", encoding="utf-8")
    uniform = "for line in open(0): print('-1.3862943611198906 ' * len(line.split()), flush=True)"
    command = shlex.join([sys.executable, "-c", uniform])
    (tmp_path / "words.txt").write_text("a b c d", encoding="utf-8")
    options = ("--text", tmp_path / "text.txt", "--vocabulary", tmp_path / "words.txt", "--places")
    found = run("audit", "--command", command, *options, 1)
    assert (found.status, found.err) == (0, "") and "reset               not claimed" in found.out
    found = run("audit", "--command", command, *options, 1, "--unit-of-text", "document")
    assert found.status == 1 and found.err.endswith(": not tested: reset\n")


def test_tokens_are_divided_as_in_all_texts(tmp_path, run, refused):
    """At spaces and tabs alone, in the vocabulary, too."""
    words = ["10\u00a0000", "a\u2028b", "c", "<unk>"]
    (tmp_path / "text.txt").write_text(("\t".join(words) + "\n") * 2, encoding="utf-8")
    (tmp_path / "words.txt").write_text("\n".join(words), encoding="utf-8")
    log = "print('-1.3862943611198906 ' * len(line.split(' ')), flush=True)"
    code = f"import sys; sys.stdin.reconfigure(encoding='utf-8')\nfor line in sys.stdin: {log}"
    program = ("audit", "--command", shlex.join([sys.executable, "-c", code]), "--places", 1)
    options = ("--text", tmp_path / "text.txt", "--vocabulary", tmp_path / "words.txt")
    found = run(*program, *options)
    assert (found.status, found.err) == (0, "") and "all 4 words" in found.out
    (tmp_path / "text.txt").write_text("c\nc </s>\n", encoding="utf-8")
    assert f"{tmp_path / 'text.txt'}, line 2: `</s>` is reserved" in refused(*program, *options)


@pytest.mark.slow  # processes
def test_a_program_that_waits_for_all_of_its_input_is_caught(tmp_path, run):
    """It is not waited for again and again: the text is not shrunk."""
    lines = "for line in list(open(0)): print('-3 ' * len(line.split()))"
    (tmp_path / "text.txt").write_text("a b c\n" * 20, encoding="utf-8")
    command = shlex.join([sys.executable, "-c", lines])
    options = ("--text", tmp_path / "text.txt", "--places", 1, "--seconds", 5, "--json")
    found = run("audit", "--command", command, *options)
    assert found.status == 1 and "broken: single pass" in found.err
    rules = {one["rule"]: one for one in json.loads(found.out)["rules"]}
    assert rules["single pass"]["shortest"]["after"] is None
    assert len(rules["single pass"]["shortest"]["text"]) == 20
    assert [rule for rule, one in rules.items() if one["status"] == "broken"] == ["single pass"]


NETWORKS = [
    {"cell": "lstm", "document_size": 0},
    {"cell": "lstm", "unit_of_text": "document"},
    {"cell": "sigmoid", "unit_of_text": "stream"},
]
ADAPTATIONS = [
    *({"unit_of_text": unit} for unit in ("sentence", "stream")),
    {"updates": "none"},
    {"updates": "document_vector", "unit_of_text": "document", "learn_after": 5},
    {"updates": "document_vector", "unit_of_text": "stream", "learn_after": "sentence"},
    *(
        {"updates": updates, "unit_of_text": "stream", "learning_rate": 0.05, **learnt}
        for updates in ("embeddings+recurrent+output", "all")
        for learnt in ({"steps": 3}, {"learn_after": "sentence"})
    ),
    {"updates": "all", "unit_of_text": "sentence", "learning_rate": 0.05, "steps": 3},
]
UNEVEN = (1, 4, 1, 3, 2, 4)
NUMBERS = [[3, 14, 3, 9, 7], [14, 3, 3], [], [8, 9, 8], [4, 14, 3], [], [5, 9], []]
READ = [[f"w{number}" for number in line] for line in NUMBERS]


def model_of(**changes):
    """Return a model with random weights, and words `w1` to `w14` beside `</s>`."""
    values = {"document_size": 3, "document_rate": 0.3, "precision": "float64", **changes}
    settings = RunSettings(corpus="small", hidden_size=6, seed=5, engine="kernel", **values)
    corpus = small.corpus_of(UNEVEN, split_of([[3, 0]]))
    corpus = replace(corpus, words=[SENTENCE_END, *corpus.words[1:]])
    return small.model_of(settings, corpus)


def assert_passes(scorer, text=READ, tolerance=1e-9):
    found = audit_scorer("network", scorer, text, places=4, tolerance=tolerance)
    assert found.broken == [], found
    rules = {one.rule: one for one in found.rules}
    assert "the sum over all" in rules["normalisation"].said
    assert (rules["reset"].status == "not claimed") == (scorer.unit == "stream")


def has_adaptation(adaptation, settings):
    """Return True if a network has this adaptation, and it is not the same as another one."""
    updates = adaptation.get("updates")
    weights = {"all", "embeddings+recurrent+output"}
    if updates in weights:
        return settings.get("cell") != "lstm"
    return updates == "none" or settings.get("document_size", 3) > 0


@pytest.mark.slow  # kernels are compiled
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_our_networks_pass_with_every_adaptation(network):
    model = model_of(**network)
    for adaptation in ADAPTATIONS:
        if has_adaptation(adaptation, network):
            assert_passes(of_model(model.scorer, **adaptation))
