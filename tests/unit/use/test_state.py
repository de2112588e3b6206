"""Tests of a model's state: continuing, branching and going back change nothing but rounding."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule

from online_rnnlm.errors import UserError
from tests.toy_texts import TOPICS
from tests.unit.made_texts import many

WORDS = ["the", "cat", "sees", "zeppelin", ".", "</s>", *TOPICS["sea"][0]]
PIECES = st.lists(st.sampled_from(WORDS), max_size=7)


def pieces_of(words, ends):
    """Return the sentences that end with `</s>`, and what is left."""
    places = [place + 1 for place, word in enumerate(words) if word == "</s>"] if ends else []
    return np.split(np.array(words, object), places)


@pytest.fixture(params=[{}, {"frozen": True}, {"unit_of_text": "stream", "learning_rate": 0.4}])
def adaptation(request):
    """The options of a text that is read."""
    return request.param


def test_continuing_branching_and_going_back_give_what_one_piece_does(model, adaptation):
    class Program(RuleBasedStateMachine):
        """States, each with the words before it and their log-probabilities."""

        states = Bundle("states")

        @rule(target=states)
        def begin(self):
            return [], [], model.start(**adaptation)

        @rule(target=states, before=states, words=PIECES)
        def read_after(self, before, words):
            """From an earlier state, that is to go back; from one state twice, to branch."""
            read, logs, state = before
            found, after = model.continue_(state, words)
            assert len(found) == len(words)
            return [*read, *words], [*logs, *found.tolist()], after

        @rule(of=states)
        def check(self, of):
            read, logs, state = of
            whole, after = model.continue_(model.start(**adaptation), read)
            np.testing.assert_allclose(whole, logs, rtol=1e-5)
            close = {"rtol": 1e-4, "atol": 1e-5}
            np.testing.assert_allclose(after.document_vector, state.document_vector, **close)
            np.testing.assert_allclose(model.next_word(after), model.next_word(state), **close)

    Program.TestCase.settings = settings(many, stateful_step_count=10)
    Program.TestCase().runTest()


@many
@given(texts=st.lists(PIECES.map(lambda words: [w for w in words if w != "</s>"]), min_size=1))
def test_states_give_the_log_probabilities_of_scoring(model, texts):
    texts = [words for words in texts if words] or [["cat"]]
    given_texts = [" ".join(words) for words in texts]
    for unit in ("sentence", "stream"):
        options = {"tokenised": True, "unit_of_text": unit}
        state = model.start(unit_of_text=unit)
        for words, expected in zip(
            texts, model.log_probabilities(given_texts, **options), strict=True
        ):
            found, state = model.continue_(state, [*words, "</s>"])
            np.testing.assert_allclose(found, expected, rtol=1e-5)
        vectors = model.document_vectors(given_texts, **options)
        if unit == "stream":  # nothing is forgotten at the end
            np.testing.assert_allclose(state.document_vector, vectors[-1], rtol=1e-4, atol=1e-5)


def test_the_likeliest_words_come_first(model):
    _, state = model.continue_(model.start(), ["the", "cat", "sees", "zeppelin", "."])
    logs = model.next_word(state)
    for wrong in (0, -1, 2.5):
        with pytest.raises(UserError, match="`number`: a whole number above 0"):
            model.likeliest(state, wrong)
    best = model.likeliest(state, 3)
    assert [one.log_probability for one in best] == sorted(logs.tolist())[::-1][:3]
    assert [model.words[n] for n in np.argsort(-logs)[:3]] == [one.word for one in best]


def test_states_are_copied_pickled_and_used_in_threads(model):
    _, state = model.continue_(model.start(), ["the", "cat"])
    expected, _ = model.continue_(state, ["sees", "."])
    for other in (copy.copy(state), copy.deepcopy(state), pickle.loads(pickle.dumps(state))):
        assert model.continue_(other, ["sees", "."])[0].tolist() == expected.tolist()
    vector = state.document_vector
    vector[:] = 7  # a copy
    with ThreadPoolExecutor(8) as pool:
        for found, _ in pool.map(model.continue_, [state] * 64, [["sees", "."]] * 64):
            assert found.tolist() == expected.tolist()


def test_words_and_options_that_a_state_cannot_use_are_one_line(model):
    for wrong in ("the cat", None, 3):
        with pytest.raises(UserError, match=r"^a list of words is needed, .*, not a \w+$"):
            model.continue_(model.start(), wrong)
    for wrong in ([5, 6], [model.words.index("cat")], [None]):
        with pytest.raises(UserError, match=r"^word 0 \(from 0\): text is needed, not .*$"):
            model.continue_(model.start(), wrong)
    with pytest.raises(UserError, match="nothing learns: leave out `learning_rate`"):
        model.start(frozen=True, learning_rate=0.1)


def test_a_state_of_a_model_of_other_sizes_is_one_line(model, supplied):
    _, other = supplied.continue_(supplied.start(), ["the"])
    for use in (model.next_word, model.entropy, lambda state: model.continue_(state, ["the"])):
        with pytest.raises(UserError, match=r"^the state is one of another model: .*$"):
            use(other)
    more_words = replace(model.start(), last=len(model.words))
    with pytest.raises(UserError, match=r"^the state is one of another model: .*$"):
        model.next_word(more_words)


def test_the_next_words_of_the_command_are_pythons(model, model_path, run):
    text = "The cat\n\nThe king\n"
    out = run("next", "--model", model_path, "--number", 3, "--format", "tsv", text=text).out
    header, *rows = [line.split("\t") for line in out.splitlines()]
    assert header == ["text", "entropy", "word", "log_probability"]
    expected = []
    for number, words in enumerate((["the", "cat"], [], ["the", "king"])):
        _, state = model.continue_(model.start(), words)
        for one in model.likeliest(state, 3):
            expected.append([str(number), f"{model.entropy(state)}", one.word])
            expected[-1].append(f"{one.log_probability}")
    assert rows == expected
    shown = run("next", "--model", model_path, "--frozen", text=text).out
    assert len(shown.splitlines()) == 3 * 6
    # An empty text is the beginning of a sentence, as an empty line is.
    empty = run("next", "--model", model_path, "").out
    assert empty == run("next", "--model", model_path, text="\n").out
    assert empty.splitlines()[0].startswith("… entropy ")
