"""Tests that a run served as an MLflow model gives the evaluations' scores everywhere."""

import ast
import json
import os
import shutil
import subprocess
import sys
import textwrap
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from online_rnnlm.config import testing as typed
from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import digest_of
from online_rnnlm.engines.names import chosen_modules
from online_rnnlm.errors import UserError
from online_rnnlm.evaluation.evaluate import evaluate
from online_rnnlm.model import parameters, weight_files
from online_rnnlm.model.sizes import Sizes
from online_rnnlm.storage import records
from online_rnnlm.storage.files import sha256_of
from online_rnnlm.storage.identity import identity
from online_rnnlm.storage.modules import module_sources
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import RunRecord, RunResult, Statistics
from online_rnnlm.tracking import online_rnnlm_model, saving
from online_rnnlm.tracking.library import mlflow
from online_rnnlm.training.train import train

pytestmark = [
    pytest.mark.slow,  # MLflow loads models in processes of their own
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]

RATE, STEPS = 0.03, 3
EVALUATIONS = {
    "none": {"updates": "none"},
    "document_vector": {"updates": "document_vector"},
    "all.word.sentence": {"updates": "all", "learning_rate": RATE},
    "all.sentence.stream": {
        **{"updates": "all", "learning_rate": RATE},
        **{"learn_after": "sentence", "unit_of_text": "stream"},
    },
    "document_vector+output.word.stream": {
        **{"updates": "output+document_vector", "learning_rate": RATE},
        "unit_of_text": "stream",
    },
    "document_vector.word.stream": {
        **{"updates": "document_vector", "learning_rate": RATE},
        "unit_of_text": "stream",
    },
}

# Loads the model in a folder, and prints its scores and the code that it uses.
ELSEWHERE = """
import json, sys, warnings
import mlflow.pyfunc
warnings.simplefilter("error")
model = mlflow.pyfunc.load_model(sys.argv[1])
sentences = json.loads(sys.stdin.read())
found = {
    updates: model.predict(sentences, params={"updates": updates})["log_probability"].tolist()
    for updates in ("none", "document_vector")
}
modules = ("online_rnnlm", "online_rnnlm.engines.kernels.batches")
files = [sys.modules[module].__file__ for module in modules]
print(json.dumps([files, found]))
"""


def trained(corpus_directory, path, **settings) -> ExperimentDirectory:
    directory = ExperimentDirectory(path)
    shutil.copytree(corpus_directory.path, directory.corpus("topics").path)
    values = {"corpus": "topics", "hidden_size": 10, "max_epochs": 2, **settings}
    run = Run(settings=RunSettings.model_validate(values))
    train(run, directory.corpus("topics"), directory.run("run"))
    return directory


def saved(directory: ExperimentDirectory, path: Path) -> Path:
    saving.save_model(directory, "run", path, typed.TestingSettings(steps=STEPS))
    return path


def load(path: Path):
    before = sys.path
    try:
        return mlflow().pyfunc.load_model(str(path))
    finally:
        sys.path = before  # the model has put its copy of the package first


@pytest.fixture(scope="module")
def experiment(corpus_directory, tmp_path_factory) -> ExperimentDirectory:
    """An experiment with a trained run and evaluations of all kinds."""
    path = tmp_path_factory.mktemp("served") / "experiment"
    directory = trained(corpus_directory, path, document_size=3, document_rate=0.15)
    rates = {"learning_rates": [RATE], "document_rates": [RATE]}
    testing = typed.TestingSettings.model_validate({**rates, "steps": STEPS})
    for evaluation in EVALUATIONS:
        evaluate(directory, "run", directory.corpus("topics"), evaluation, testing)
    return directory


@pytest.fixture(scope="module")
def folder(experiment, tmp_path_factory) -> Path:
    return saved(experiment, tmp_path_factory.mktemp("models") / "model")


@pytest.fixture(scope="module")
def model(folder):
    return load(folder)


@pytest.fixture(scope="module")
def static(corpus_directory, tmp_path_factory):
    """The model of a run without a document vector."""
    path = tmp_path_factory.mktemp("static")
    directory = trained(corpus_directory, path / "experiment", document_size=0)
    return load(saved(directory, path / "model"))


def sentences(experiment) -> pd.DataFrame:
    """Return the test sentences with their words that are not in the vocabulary."""
    text = experiment.corpus("topics").split("test").read_text(encoding="utf-8")
    return pd.DataFrame({"sentence": text.splitlines()})


def scored(experiment, evaluation) -> pd.DataFrame:
    table = pd.read_parquet(experiment.sentence_scores("run", evaluation))
    return table[table["split"] == "test"]


@pytest.mark.parametrize("evaluation", EVALUATIONS)
def test_scores_are_those_of_the_evaluation(experiment, model, evaluation):
    expected = scored(experiment, evaluation)
    assert expected["unk_tokens"].sum() > 0
    found = model.predict(sentences(experiment), params=EVALUATIONS[evaluation])
    assert found["log_probability"].tolist() == expected["log_probability"].tolist()
    assert found["tokens"].tolist() == expected["tokens"].tolist()
    tokens = np.concatenate(found["token_log_probabilities"].tolist())
    exact = np.load(experiment.token_scores("run", evaluation))
    np.testing.assert_array_equal(tokens.astype(np.float32), exact)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
def test_a_line_end_behind_a_sentence_is_no_word(model, end):
    plain, ended = (
        model.predict(pd.DataFrame({"sentence": [text, ""]}))["log_probability"].tolist()
        for text in ("the cat", f"the cat{end}")
    )
    assert ended == plain
    blank = model.predict(pd.DataFrame({"sentence": [end]}))["tokens"].tolist()
    assert blank == [1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_end_within_a_sentence_is_refused(model, end):
    frame = pd.DataFrame({"sentence": ["the cat", f"the{end}cat"]})
    with pytest.raises(MlflowException, match=r"`sentence` in row 1: a line end within it"):
        model.predict(frame)


def test_packed_code_that_is_damaged_is_named(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    packed = tmp_path / "model" / "code" / online_rnnlm_model.PACKED
    packed.write_bytes(packed.read_bytes()[:-30])
    with pytest.raises(ValueError, match=f"^{packed}: damaged"):
        online_rnnlm_model.sources(str(tmp_path / "model" / "data" / "run"))


@pytest.mark.parametrize("damage", ["delete", "cut"])
def test_unpacked_code_that_was_damaged_is_unpacked_again(folder, tmp_path, monkeypatch, damage):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data = str(folder / "data" / "run")
    place = online_rnnlm_model.sources(data)
    before = {path: path.read_bytes() for path in place.rglob("*.py")}
    one = next(path for path, content in before.items() if content)
    if damage == "delete":
        one.unlink()
    else:
        one.write_bytes(before[one][:-1])
    assert online_rnnlm_model.sources(data) == place
    assert {path: path.read_bytes() for path in place.rglob("*.py")} == before
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_any_number_of_rows_and_words_is_scored(model):
    """An empty sentence is its end alone; other columns and equal labels of rows are no matter."""
    texts = [*["the cat"] * 20_000, " ".join(["the"] * 20_000), "", "  "]
    frame = pd.DataFrame({"sentence": texts, "more": 1}, index=[7] * len(texts))
    found = model.predict(frame)
    assert found.index.tolist() == [7] * len(texts)
    assert found["tokens"].tolist() == [*[3] * 20_000, 20_001, 1, 1]
    assert found["log_probability"].nunique() == 3


def test_a_document_is_a_call_of_its_own(experiment, model):
    """With `stream`, learning continues within a call and is forgotten before the next."""
    params, frame = EVALUATIONS["document_vector+output.word.stream"], sentences(experiment)
    first, rest = model.predict(frame[:20], params=params), model.predict(frame[20:], params=params)
    assert rest.index.tolist() == frame.index[20:].tolist()
    whole = model.predict(frame, params=params)["log_probability"]
    assert first["log_probability"].tolist() == whole[:20].tolist()
    assert rest["log_probability"].tolist() != whole[20:].tolist()
    again = model.predict(frame[20:], params=params)
    pd.testing.assert_frame_equal(again, rest, check_exact=True)


def test_defaults_are_the_main_evaluation(experiment, model, static):
    expected = scored(experiment, "document_vector")["log_probability"]
    found = model.predict(sentences(experiment))
    assert found["log_probability"].tolist() == expected.tolist()
    params = {"updates": "document_vector", "learning_rate": 0.15}
    pd.testing.assert_frame_equal(model.predict(sentences(experiment), params=params), found)
    defaults = {param.name: param.default for param in static.metadata.get_params_schema()}
    assert defaults == {
        **{"updates": "none", "learn_after": "word", "unit_of_text": "sentence"},
        **{"learning_rate": None, "steps": STEPS},
    }


def test_the_rate_is_the_vectors_where_it_learns_alone(experiment, model):
    frame = sentences(experiment)
    slow = model.predict(frame, params={"learning_rate": 1e-9})["log_probability"]
    still = model.predict(frame, params={"updates": "none"})["log_probability"]
    np.testing.assert_allclose(slow, still, rtol=1e-6)


def test_words_are_divided_by_blanks_and_unknown_ones_are_unk(model):
    texts = [
        "the cat sees the zebra",
        "  the cat  sees the\t<unk>\r\n",
        "the \ufeffcat \t sees\tthe <UNK>",
        *("", " "),
    ]
    found = model.predict([{"sentence": text} for text in texts])
    assert found["tokens"].tolist() == [6, 6, 6, 1, 1]
    words = ["the\N{NO-BREAK SPACE}cat\N{IDEOGRAPHIC SPACE}sees\vthe", "x<UNK>y"]
    assert model.predict([{"sentence": word} for word in words])["tokens"].tolist() == [2, 2]
    logs = found["token_log_probabilities"]
    assert logs[0] == logs[1] == logs[2]
    assert found["log_probability"][3] == logs[4][0] < 0
    assert found["log_probability"][0] == pytest.approx(sum(logs[0]))


@pytest.mark.parametrize("column", [[], pd.Series([], dtype="str"), pd.Series([], dtype="float")])
def test_no_sentence_has_no_row(model, column):
    found = model.predict(pd.DataFrame({"sentence": column}))
    assert len(found) == 0
    assert list(found) == ["log_probability", "tokens", "token_log_probabilities"]


TEXTS = ["the cat sees the milk", "", "the king"]


def answer(model, request):
    """Return what a server that MLflow runs answers to a request."""
    from mlflow.pyfunc import scoring_server  # noqa: PLC0415  # it warns when it is imported

    schema = model.metadata.get_input_schema()
    said = scoring_server.invocations(json.dumps(request), "application/json", model, schema)
    return json.loads(said.response)["predictions"]


@pytest.mark.parametrize(
    "asked",
    [
        {"dataframe_split": {"columns": ["sentence"], "data": [[text] for text in TEXTS]}},
        {"dataframe_records": [{"sentence": text} for text in TEXTS]},
        *({key: TEXTS} for key in ("inputs", "instances")),
        *({key: {"sentence": TEXTS}} for key in ("inputs", "instances")),
        *({key: [{"sentence": text} for text in TEXTS]} for key in ("inputs", "instances")),
    ],
    ids=str,
)
def test_a_server_takes_every_form_of_request(model, asked):
    frame = pd.DataFrame({"sentence": TEXTS})
    assert answer(model, asked) == model.predict(frame).to_dict("records")
    params = {"updates": "all", "learning_rate": 0.1, "unit_of_text": "stream"}
    learnt = model.predict(frame, params=params).to_dict("records")
    assert answer(model, asked | {"params": params}) == learnt


def test_a_list_of_no_or_one_sentence_is_a_list(model):
    assert answer(model, {"inputs": []}) == []
    assert [one["tokens"] for one in answer(model, {"inputs": ["the cat"]})] == [3]
    assert [one["tokens"] for one in answer(model, {"inputs": {"sentence": "the cat"}})] == [3]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["the cat", 3], "`sentence` in row 1: text is needed, not 3"),
        (["the cat", None], "`sentence` in row 1: text is needed, not "),
        ([["the"], ["cat"]], "`sentence` in row 0: text is needed, not "),
        (["the cat", "the\ncat"], "`sentence` in row 1: a line end within it"),
        ("the cat", "Model is missing inputs ['sentence']"),
        ({"text": ["the cat"]}, "Model is missing inputs ['sentence']"),
    ],
)
def test_a_request_that_is_not_of_sentences_is_refused(model, given, message):
    with pytest.raises(MlflowException) as raised:
        answer(model, {"inputs": given})
    assert message in raised.value.message


def test_a_static_model(static):
    frame = pd.DataFrame({"sentence": ["the cat sees the milk", "the king wants the crown"]})
    still, learning = (
        static.predict(frame),
        static.predict(
            frame, params={"updates": "all", "learning_rate": 0.1, "unit_of_text": "stream"}
        ),
    )
    assert still["log_probability"].tolist() != learning["log_probability"].tolist()
    pd.testing.assert_frame_equal(static.predict(frame), still, check_exact=True)
    assert refused(static, {"updates": "document_vector"}).startswith(
        "`updates`: Input should be none, all, or one or more of embeddings, recurrent, output"
    )


def refused(model, params, texts=("the cat",)) -> str:
    exception = mlflow().exceptions.MlflowException
    with pytest.raises(exception) as raised:
        model.predict(pd.DataFrame({"sentence": texts}), params=params)
    assert raised.value.error_code == "INVALID_PARAMETER_VALUE"
    assert "\n" not in raised.value.message
    return raised.value.message


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"updates": "embedings"}, "document_vector, embeddings, recurrent, output joined by `+`"),
        ({"updates": "none+output", "learning_rate": 0.1}, "not 'none+output'"),
        ({"updates": ""}, "`updates`: Input should be none, all"),
        ({"updates": "none", "learning_rate": 0.1}, "`learning_rate`: nothing learns"),
        ({"learn_after": "never"}, "`learn_after`: Input should be 'word' or 'sentence'"),
        ({"unit_of_text": "page"}, "`unit_of_text`: Input should be 'sentence' or 'stream'"),
        ({"learn_after": "sentence"}, "`stream` keeps it"),
        ({"updates": "recurrent"}, "`learning_rate`: weights that learn need one"),
        (
            {"learning_rate": -1.0},
            "`learning_rate`: Input should be greater than or equal to 1e-30, not -1",
        ),
        ({"learning_rate": 1e-300}, "greater than or equal to 1e-30, not 1e-300"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"steps": 0}, "`steps`: Input should be greater than or equal to 1, not 0"),
        (
            {"updates": "all", "learning_rate": 1e9, "unit_of_text": "stream"},
            "`learning_rate`: diverged: a smaller one is needed",
        ),
    ],
)
def test_bad_params_are_named(model, params, message):
    assert message in refused(model, params, ["the cat sees the milk"] * 9)


@pytest.mark.parametrize("value", [None, 3, float("nan"), b"the cat", ["the", "cat"], True])
def test_what_is_no_text_is_named(model, value):
    message = refused(model, {}, ["the cat", value])
    assert "`sentence` in row 1: text is needed, not " in message


def test_numbers_are_no_text(model):
    assert "`sentence` in row 0: text is needed, not 1.5" in refused(model, {}, [1.5, 2.5])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("the cat </s> the hen", "`</s>` is reserved"),
        ("the\0cat", "NUL"),
        ("the cat\nthe hen", "line end"),
    ],
)
def test_what_the_pipeline_refuses_is_refused(model, text, what):
    message = refused(model, {}, ["the cat", text])
    assert "`sentence` in row 1" in message
    assert what in message


def test_half_of_a_surrogate_pair_is_refused(model):
    """A column of Python's own strings, as pandas without pyarrow has them, can hold one."""
    column = pd.Series(["the cat", "the \ud800 cat"], dtype="object")
    defaults = {param.name: param.default for param in model.metadata.get_params_schema()}
    with pytest.raises(mlflow().exceptions.MlflowException, match="in row 1, character 5"):
        model._model_impl.predict(pd.DataFrame({"sentence": column}), defaults)


@pytest.mark.parametrize("updates", ["all", "document_vector"])
@pytest.mark.parametrize("rate", [1e5, 1e30])
def test_a_log_probability_without_sense_is_not_returned(model, updates, rate):
    params = {"updates": updates, "learning_rate": rate}
    sentence = "the cat sees the milk the hen likes the cat"
    assert "`learning_rate`: diverged" in refused(model, params, ["the cat", sentence])


def other_words(folder: Path) -> None:
    """Put another corpus's vocabulary into a model, which is larger."""
    path = folder / "vocabulary.tsv"
    path.write_text(path.read_text() + "another\t1\t5\n")


def other_word(folder: Path) -> None:
    """Change one word."""
    path = folder / "vocabulary.tsv"
    path.write_text(path.read_text().replace("\ncat\t", "\ndog\t"))


def other_corpus(folder: Path) -> None:
    """Put another corpus's vocabulary and its record into a model."""
    other_words(folder)
    path = folder / "statistics.json"
    statistics = records.read(Statistics, path)
    files = statistics.files | {"vocabulary.tsv": sha256_of(folder / "vocabulary.tsv")}
    update = {"files": files, "digest": digest_of(files)}
    records.write(path, statistics.model_copy(update=update))


def other_weights(folder: Path) -> None:
    """Put a model of other sizes into a model, whose record agrees."""
    weights = parameters.initialise(Sizes(9, 10, 3, 3), 0.1, 1, "float32")
    save_weights(folder, weights)


def no_numbers(folder: Path) -> None:
    """Put weights that are not numbers into a model, whose record agrees."""
    weights = weight_files.read(folder / "model.npz")
    save_weights(folder, parameters.like(weights, [array * np.nan for array in weights]))


def save_weights(folder: Path, weights: parameters.Parameters) -> None:
    weight_files.save(weights, folder / "model.npz")
    path = folder / "result.json"
    result = records.read(RunResult, path)
    files = result.files | {"model.npz": sha256_of(folder / "model.npz")}
    records.write(path, result.model_copy(update={"files": files}))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (other_words, r"vocabulary\.tsv: damaged"),
        (other_word, r"vocabulary\.tsv: damaged"),
        (other_corpus, "trained on another corpus"),
        (other_weights, r"model\.npz: `embeddings` is float32 \(9, 10\)"),
        (no_numbers, r"model\.npz: damaged: a weight is not a finite number"),
    ],
)
def test_files_that_do_not_belong_together_are_not_loaded(folder, tmp_path, change, named):
    shutil.copytree(folder, tmp_path / "model")
    change(tmp_path / "model" / "data" / "run")
    with pytest.raises(UserError, match=named):
        load(tmp_path / "model")


def test_signature_and_example(experiment, folder, model):
    inputs, outputs = model.metadata.signature.inputs, model.metadata.signature.outputs
    assert [str(column) for column in inputs] == ["'sentence': Any (required)"]
    types = mlflow().types
    found = model.predict(model.input_example)
    assert list(found) == outputs.input_names()
    array = types.schema.Array(types.DataType.double)
    assert outputs.input_types() == [types.DataType.double, types.DataType.long, array]
    lines = experiment.corpus("topics").text("valid").read_text(encoding="utf-8").splitlines()
    assert model.input_example["sentence"].tolist() == lines[:3]
    assert np.isfinite(found["log_probability"]).all()
    identity = records.read(RunResult, experiment.run("run").result).identity
    assert model.metadata.metadata == {"run": "run", "identity": identity}


@pytest.fixture(scope="module")
def bare_python(folder, tmp_path_factory) -> Path:
    """The Python of an environment that has only a model's requirements."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    python = place / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    options = ["--no-compile", "--disable-pip-version-check", "--no-input"]
    requirements = folder / "requirements.txt"
    subprocess.run([*command, *options, "--requirement", str(requirements)], check=True)
    return python


def test_it_works_elsewhere_without_the_experiment(experiment, bare_python, tmp_path):
    """The model works in another process, and as a copy with only its own requirements."""
    copy = ExperimentDirectory(tmp_path / "experiment")
    shutil.copytree(experiment.path, copy.path)
    saved(copy, tmp_path / "model")
    shutil.rmtree(copy.path)
    shutil.copytree(tmp_path / "model", tmp_path / "copy")
    places = set()
    for python, name in ((sys.executable, "model"), (bare_python, "copy")):
        files, found = elsewhere(python, tmp_path / name, sentences(experiment))
        for evaluation, logs in found.items():
            assert logs == scored(experiment, evaluation)["log_probability"].tolist()
        places.add(tuple(files))
    # Both use the same unpacked code and its compiled kernels; neither uses the project's code.
    [(package, kernels)] = places
    assert Path(kernels).is_relative_to(Path(package).parent)
    assert not Path(package).is_relative_to(Path(saving.__file__).parents[1])


def elsewhere(python, model, frame):
    """Run `ELSEWHERE`, which must print nothing else; return its output."""
    # Without this process's settings of MLflow and the path of the project.
    hushed = ("PYTHONPATH", "MLFLOW_LOGGING_LEVEL")
    process = subprocess.run(
        [str(python), "-I", "-c", textwrap.dedent(ELSEWHERE), str(model)],
        cwd=model.parent,
        env={key: value for key, value in os.environ.items() if key not in hushed},
        input=json.dumps(frame.to_dict("records")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")
    return json.loads(process.stdout)


def test_code_is_unpacked_where_it_can_be(folder, tmp_path):
    """If the user's cache cannot be written, as in a container, another folder is used."""
    (tmp_path / "file").write_text("no folder")
    code = "import online_rnnlm_model as loader, sys; print(loader.sources(sys.argv[1]))"
    for cache in (tmp_path / "cache", tmp_path / "file"):
        environment = os.environ | {
            "XDG_CACHE_HOME": str(cache),
            "PYTHONPATH": str(folder / "code"),
        }
        found = {
            subprocess.run(
                [sys.executable, "-c", code, str(folder / "data" / "run")],
                env=environment, capture_output=True, text=True, check=True,
            ).stdout.strip()
            for _ in range(2)
        }  # fmt: skip
        shared = cache.name == "cache"
        assert len(found) == (1 if shared else 2)
        for place in map(Path, found):
            assert place.is_relative_to(cache) == shared
            assert (place / "online_rnnlm" / "tracking" / "served.py").is_file()


def test_a_run_by_jax_on_a_gpu_is_served_where_there_is_neither(experiment, model, tmp_path):
    shutil.copytree(experiment.path, tmp_path / "experiment")
    copy = ExperimentDirectory(tmp_path / "experiment")
    record = records.read(RunRecord, copy.run("run").record)
    on_gpu = record.settings.model_copy(update={"engine": "jax", "device": "gpu"})
    own = {"identity": identity(on_gpu, record.corpus_digest, record.code_digest)}
    changed = record.model_copy(update={**own, "settings": on_gpu})
    records.write(copy.run("run").record, changed)
    result = records.read(RunResult, copy.run("run").result)
    records.write(copy.run("run").result, result.model_copy(update=own))
    sentences = pd.DataFrame({"sentence": ["the cat sees the hen", "the ship"]})
    found, wanted = (m.predict(sentences) for m in (load(saved(copy, tmp_path / "model")), model))
    assert found["log_probability"].tolist() == wanted["log_probability"].tolist()


def test_the_requirements_are_what_the_code_imports(folder):
    pins = dict(line.split("==") for line in (folder / "requirements.txt").read_text().split())
    assert pins == {package: version(package) for package in saving.REQUIREMENTS}
    # SciPy provides numba's BLAS; MLflow's small package loads models.
    sources = module_sources(
        "tracking.served", "tracking", *chosen_modules(RunSettings(corpus="c"))
    )
    imported = {name for source in sources for name in _imported_at_once(source)}
    # JAX is only loaded for runs that train with it; served models do not use it.
    others = imported - set(sys.stdlib_module_names) - {"online_rnnlm", "jax"}
    assert others | {"mlflow-skinny", "scipy"} == set(pins)


def _imported_at_once(source: Path) -> set[str]:
    """Return the packages that a module imports when it is loaded."""
    names = set()
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return names


def test_a_folder_says_for_which_mlflow_run_it_is(experiment, tmp_path):
    saving.save_model(experiment, "run", tmp_path / "model", run_id="a" * 32, model_id="m-1")
    metadata = mlflow().models.Model.load(str(tmp_path / "model"))
    assert (metadata.run_id, metadata.model_id) == ("a" * 32, "m-1")
    assert not list((tmp_path / "model").rglob("__pycache__"))


def test_a_missing_file_is_named(experiment, tmp_path):
    copy = ExperimentDirectory(tmp_path / "experiment")
    shutil.copytree(experiment.path, copy.path)
    copy.run("run").model.unlink()
    with pytest.raises(UserError, match=r"model\.npz: missing"):
        saved(copy, tmp_path / "model")
    copy.run("run").result.unlink()
    with pytest.raises(UserError, match=r"result\.json: missing"):
        saved(copy, tmp_path / "model")
    with pytest.raises(UserError, match=r"nothing/run\.json: missing"):
        saving.save_model(copy, "nothing", tmp_path / "other")
    assert not (tmp_path / "model").exists()
