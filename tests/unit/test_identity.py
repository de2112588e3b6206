"""Tests that an edit of code makes those results anew that it decides, and no others."""

import shutil
from pathlib import Path

import pytest

from online_rnnlm.config import code
from online_rnnlm.config import testing as typed
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.rivals import CORPUS_RIVALS, RUN_RIVALS
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, PARTS, Adaptation
from online_rnnlm.storage.code import PACKAGE, fingerprint
from tests.unit.small_records import plan
from tests.unit.test_contracts import KINDS, names_of

TESTING = typed.TestingSettings(rivals=["kneser_ney", "ngram_mixture"])
KERNEL, LSTM, JAX = (
    RunSettings(corpus="c", hidden_size=4, document_size=2, cell=cell, engine=engine)
    for cell, engine in (("sigmoid", "kernel"), ("lstm", "kernel"), ("sigmoid", "jax"))
)
VECTOR, EVERYTHING = Adaptation((DOCUMENT_VECTOR,)), Adaptation(PARTS, unit_of_text="stream")
PLAN = plan()


def corpus(kind):
    files = {"file": "some.txt"} if kind in ("text", "dump", "wikipedia") else {}
    return CorpusSettings.model_validate({"source": {"kind": kind, **files}})


RESULTS = {
    "vital": code.of_corpus(corpus("wikipedia-vital")),
    "wikitext": code.of_corpus(corpus("wikitext")),
    "kernel": code.of_training(KERNEL),
    "lstm": code.of_training(LSTM),
    "jax": code.of_training(JAX),
    "vector": code.of_evaluation(KERNEL, VECTOR, TESTING),
    "vector by jax": code.of_evaluation(JAX, VECTOR, TESTING),
    "everything": code.of_evaluation(KERNEL, EVERYTHING, TESTING),
    "unigram_cache": code.of_evaluation(KERNEL, "unigram_cache", TESTING),
    "neural_cache": code.of_evaluation(KERNEL, "neural_cache", TESTING),
    "dynamic_evaluation": code.of_evaluation(KERNEL, "dynamic_evaluation", TESTING),
    "mixture": code.of_evaluation(KERNEL, "mixture", TESTING),
    "kneser_ney": code.of_rival("kneser_ney"),
    "timings": code.of_timings(plan(testing={"updates": ["all"], "rivals": ["unigram_cache"]})),
    "audits": code.of_audits(PLAN),
    "report": code.of_report(PLAN),
}
"""Some results, and the modules that decide them."""
CORPORA = {"vital", "wikitext"}
TRAINED = {"kernel", "lstm", "jax"}
BY_KERNEL = {
    *("kernel", "lstm", "vector", "everything", "unigram_cache", "neural_cache"),
    *("dynamic_evaluation", "mixture", "timings", "audits"),
}
TESTED = {*RESULTS} - CORPORA - TRAINED - {"timings", "audits", "report"}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package whose files are edited."""
    copy = tmp_path_factory.mktemp("src") / "online_rnnlm"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def fingerprints(package):
    return {name: fingerprint(*of, package=package) for name, of in RESULTS.items()}


NOW = fingerprints(PACKAGE)


@pytest.mark.parametrize(
    ("file", "anew"),
    [
        ("core/training.py", TRAINED),
        ("core/engines/kernels/forward.py", BY_KERNEL),
        ("core/engines/kernels/online.py", {"everything", "dynamic_evaluation", "timings"}),
        ("core/engines/kernels/compilation.py", set()),
        ("core/engines/jax_engine.py", {"jax", "vector by jax"}),
        ("core/engines/theano_engine.py", set()),
        ("core/cells/slow_context.py", set()),
        ("rivals/kneser_ney.py", {"kneser_ney"}),
        ("rivals/unigram_cache.py", {"unigram_cache", "timings"}),
        ("rivals/caches.py", {"unigram_cache", "neural_cache", "timings"}),
        ("rivals/dynamic_evaluation.py", {"dynamic_evaluation"}),
        ("rivals/mixture.py", {"mixture"}),
        ("jobs/evaluation.py", TESTED),
        ("jobs/evaluation_files.py", TESTED),
        ("jobs/timing.py", {"timings"}),
        ("jobs/train.py", set()),
        ("jobs/requests.py", set()),
        ("auditing/rules.py", {"audits"}),
        ("corpora/sources/wikitext.py", {"wikitext"}),
        ("corpora/splitting.py", CORPORA),
        ("analysis/report.py", {"report"}),
        ("analysis/templates/report.html.j2", {"report"}),
        ("config/rivals.py", {"report"}),
        ("process/devices.py", set()),
        ("errors.py", set()),
    ],
)
def test_an_edit_makes_anew_what_it_decides(package: Path, file: str, anew: set[str]) -> None:
    with (package / file).open("a", encoding="utf-8") as edited:
        edited.write("\n_ADDED = 1\n")
    after = fingerprints(package)
    shutil.copyfile(PACKAGE / file, package / file)
    assert {name for name in RESULTS if after[name] != NOW[name]} == anew


EVERY_RESULT = {
    module
    for modules in (
        *(code.of_corpus(corpus(kind)) for kind in KINDS),
        *(
            found(settings)
            for settings in (
                RunSettings.model_construct(engine=engine, cell=cell, document_size=2)
                for engine in ENGINES
                for cell in names_of("cell")
            )
            for found in (code.of_training, lambda run: code.of_evaluation(run, VECTOR, TESTING))
        ),
        code.of_evaluation(KERNEL, EVERYTHING, TESTING),
        *(code.of_evaluation(KERNEL, rival, TESTING) for rival in RUN_RIVALS),
        *map(code.of_rival, CORPUS_RIVALS),
    )
    for module in modules
}
"""All modules that decide an array, a weight or a log-probability."""
FILES = [
    str(file.relative_to(PACKAGE))
    for folder in ("core", "corpora", "rivals")
    for file in sorted((PACKAGE / folder).rglob("*.py"))
    if file.name != "__init__.py"
]
DECIDES_NOTHING = {
    "core/engines/kernels/compilation.py": "it only calls kernels",
    "corpora/planning.py": "it checks files, and computes the fingerprints",
}


@pytest.mark.parametrize("file", FILES)
def test_every_module_of_the_folders_that_decide_numbers_counts(package: Path, file: str) -> None:
    """None is loaded by a name that no result has."""
    before = fingerprint(*EVERY_RESULT, package=package)
    with (package / file).open("a", encoding="utf-8") as edited:
        edited.write("\n_ADDED = 1\n")
    after = fingerprint(*EVERY_RESULT, package=package)
    shutil.copyfile(PACKAGE / file, package / file)
    assert (after == before) == (file in DECIDES_NOTHING)
