"""The speed of this project on one core, beside that of other commits and other programs.

A checkout is measured by what it offers to every user, its workflow, so that any commit can be
compared with any other: it trains each network for an epoch, and then times them all on the test
text. These parts of it are used:

- the rules `encode`, `evaluate`, `evaluate_vector` and `time`;
- `runs/*/run.json`: `settings.hidden_size`, `settings.document_size`;
- `runs/*/metrics.jsonl`: `words_per_second`, `seconds`, `cpu_seconds`;
- `timings.json`: `machine`, and `network`, `evaluation`, `seconds_per_word` of each of `timings`;
- `evaluations/*/*.json`: `splits.test.perplexity`.

PyTorch's own Python runs this file, too, so its top imports only what every Python has.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
NETWORKS = ("100/0", "120/0", "100/20")
SPLITS = ("train", "valid", "test")
HELD_OUT_SENTENCES = 4000
"""The most sentences of `valid` and of `test`."""
MARKED = re.compile(r"(?<=<!-- measured speed -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)
HEADINGS = """\
| network | code | training, words/s | eight epochs of 10 million words | testing, words/s | test perplexity |
|---|---|---:|---:|---:|---:|"""  # noqa: E501
EIGHT_EPOCHS = 8 * 10_000_000


Row = tuple[str, str]
"""A network, as hidden units/length of the vector, and the code that it is measured with: a commit
of this project, or another program."""


@dataclass(frozen=True)
class Speed:
    """The speed of a network, in words per second of processor time, and what it has learnt."""

    training: float
    """Speed of the epoch of training."""
    testing: float
    """Speed on the test text; the vector learns, if there is one."""
    perplexity: float
    """Perplexity of the test text after the epoch."""


Measure = Callable[[], dict[Row, Speed]]
"""A function that trains and tests the networks of a system once."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all systems in turn, print the table, and write it into a page if one is given."""
    options = parser().parse_args(arguments)
    if options.with_torch:
        print(json.dumps(asdict(torch_speed(options.with_torch))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        peers = {str(path): peer_measure(path.absolute(), folder) for path in options.peers}
        text = write_experiment(options, folder)
        systems: dict[str, Measure] = {}
        for checkout in [PROJECT, *options.against]:
            commit = commit_of(checkout)
            while commit in systems:
                commit += " again"
            place = folder / f"checkout-{len(systems)}"
            systems[commit] = checkout_measure(checkout.resolve(), commit, place)
        commits = list(systems)
        systems |= peers
        measured: defaultdict[Row, list[Speed]] = defaultdict(list)
        for number in range(options.rounds):
            # Every other round goes backwards: what was measured before leaves traces.
            for name in list(systems)[:: -1 if number % 2 else 1]:
                print(f"round {number + 1}: {name}", file=sys.stderr)
                for row, speed in systems[name]().items():
                    measured[row].append(speed)
        machine = read(folder / "checkout-0/results/speed/timings.json")["machine"]
    made = table(options.networks, commits, measured) + (
        f"\n\nMedians of {options.rounds} rounds on one core of an {machine['processor']}. "
        f"Settings: `{options.config}`"
        + "".join(f", without `{key}`" for key in options.without)
        + f". {text}"
    )
    print(made)
    if options.document:
        page = options.document.read_text(encoding="utf-8")
        options.document.write_text(MARKED.sub(lambda _: made, page), encoding="utf-8")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description="Measure training and testing, in words per second of processor time.",
    )
    add = parser.add_argument
    several: dict[str, Any] = {"nargs": "+", "default": []}
    add("--networks", nargs="+", type=network, default=NETWORKS, help="(100/0 120/0 100/20)")
    add("--config", type=Path, default="config/paper.yaml", help="text, settings (%(default)s)")
    add("--without", **several, help="settings of training that another checkout does not know")
    add("--sentences", type=int, help="training sentences of the epoch (all)")
    add("--rounds", type=int, default=3, help="(%(default)s)")
    add("--against", type=Path, **several, help="other checkouts of this project")
    add("--peers", type=Path, **several, help="a Python with PyTorch; folders of built toolkits")
    add("--document", type=Path, help="page into which the table is written")
    add("--with-torch", type=Path, help=argparse.SUPPRESS)
    return parser


def network(text: str) -> str:
    """Read a network's hidden units and length of the vector for argparse."""
    if not re.fullmatch(r"\d+/\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r}: allowed: two numbers, as in 100/20")
    return text


def read(path: Path) -> Any:
    """Read a file of JSON."""
    return json.loads(path.read_bytes())


def run(command: Sequence[object], **options: Any) -> tuple[str, float]:
    """Run a command; return all that it printed, and its processor time in seconds."""
    before = os.times()
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        **options,
    )
    after = os.times()
    if done.returncode:
        sys.exit(f"error: {command[0]} failed:\n{done.stdout}")
    used = after.children_user + after.children_system
    return done.stdout, used - before.children_user - before.children_system


def run_workflow(
    project: Path, place: Path, configuration: Path, *rules: str, cores: str = "1"
) -> None:
    """Run a checkout's workflow in a folder until these rules have run."""
    snakefile = project / "workflow" / "Snakefile"
    command = [sys.executable, "-m", "snakemake", "--cores", cores, "--snakefile", snakefile]
    command += ["--configfile", configuration.resolve(), "--until", *rules]
    run(command, cwd=place, env={**os.environ, "PYTHONPATH": str(project / "src")})


def commit_of(checkout: Path) -> str:
    """Return the commit of a checkout, and whether its code has changes."""
    changed = run(("git", "status", "--porcelain", "--", "src"), cwd=checkout)[0]
    commit, _ = run(("git", "rev-parse", "--short=8", "HEAD"), cwd=checkout)
    return commit.strip() + (" with changes" if changed else "")


def write_experiment(options: argparse.Namespace, folder: Path) -> str:
    """Write the experiment that every checkout runs, and its text; return how large the text is."""
    from ruamel.yaml import YAML  # noqa: PLC0415  # PyTorch's Python lacks it

    run_workflow(PROJECT, Path.cwd(), options.config, "encode", cores="all")
    given = YAML(typ="safe").load(options.config)  # an earlier checkout may not know new defaults
    name, corpus = next(iter(given["corpora"].items()))
    prepared = Path("results", given["experiment"], "corpora").glob(f"{name}*/statistics.json")
    newest = max(prepared, key=lambda file: file.stat().st_mtime).parent
    about = write_texts(newest, folder, options.sentences)
    texts = {split: str(folder / f"{split}.txt") for split in SPLITS}
    text = {
        "source": {"kind": "text", "tokenised": True, **texts},
        "vocabulary": corpus.get("vocabulary", {}) | {"min_count": 1},
        "classes": corpus.get("classes", {}),
    }
    training = given.get("training", {}) | {"max_epochs": 1}
    sizes = [network.split("/") for network in options.networks]
    values = {
        "experiment": "speed",
        "corpora": {"text": text},
        "training": {key: training[key] for key in training if key not in options.without},
        "rows": [{"hidden_size": int(m), "document_size": int(d)} for m, d in sizes],
    }
    (folder / "speed.json").write_text(json.dumps(values), encoding="utf-8")
    return about


def write_texts(corpus: Path, folder: Path, sentences: int | None) -> str:
    """Write the texts of a prepared corpus; return how large they are.

    Of `train` the first sentences are taken, after the words of the vocabulary that they lack, so
    that the networks have their full size. Programs that read in order end with real sentences.
    """
    texts = {split: (corpus / f"{split}.txt").read_text("utf-8").splitlines() for split in SPLITS}
    vocabulary = {"<unk>", *(word for line in texts["train"] for word in line.split())}
    part = texts["train"][:sentences]
    missing = sorted(vocabulary.difference(*map(str.split, part)))
    texts["train"] = [" ".join(missing[at : at + 20]) for at in range(0, len(missing), 20)] + part
    texts["valid"] = texts["valid"][:HELD_OUT_SENTENCES]
    texts["test"] = texts["test"][:HELD_OUT_SENTENCES]
    for split, lines in texts.items():
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    train, test = (words_of(folder / f"{split}.txt") for split in ("train", "test"))
    return (
        f"The epoch has {train:,} words, the test text {test:,}, "
        f"the vocabulary {len(vocabulary):,}."
    )


def words_of(text: Path) -> int:
    """Return the number of words of a text, the ends of its sentences included."""
    return sum(len(line.split()) + 1 for line in text.read_text("utf-8").splitlines())


def checkout_measure(project: Path, commit: str, place: Path) -> Measure:
    """Return the measurement of a checkout, after a first training that compiles what is needed."""
    place.mkdir()
    configuration = place.parent / "speed.json"
    print(f"first training, untimed: {commit}", file=sys.stderr)
    run_workflow(project, place, configuration, "evaluate", "evaluate_vector")
    results = place / "results" / "speed"
    perplexities = {
        (path.parent.name, path.stem): read(path)["splits"]["test"]["perplexity"]
        for path in (results / "evaluations").glob("*/*.json")
    }

    def measure() -> dict[Row, Speed]:
        shutil.rmtree(results / "runs")
        (results / "timings.json").unlink(missing_ok=True)
        run_workflow(project, place, configuration, "time")
        testing = {
            (timing["network"].split()[0], timing["evaluation"]): timing["seconds_per_word"]
            for timing in read(results / "timings.json")["timings"]
        }
        speeds = {}
        for folder in (results / "runs").iterdir():
            settings = read(folder / "run.json")["settings"]
            size = f"{settings['hidden_size']}/{settings['document_size']}"
            evaluation = "document_vector" if settings["document_size"] else "none"
            epoch = read(folder / "metrics.jsonl")  # of the one epoch there is one line
            speeds[size, commit] = Speed(
                epoch["words_per_second"] * epoch["seconds"] / epoch["cpu_seconds"],
                1 / median(testing[size, evaluation]),
                perplexities[folder.name, evaluation],
            )
        return speeds

    return measure


@dataclass(frozen=True)
class Toolkit:
    """A toolkit of language models in C++ that has been built, and how it is used."""

    name: str
    program: str
    """Its program, in the folder in which it is built."""
    options: str
    """Options of a training of one epoch, with 100 hidden units."""
    perplexity: Callable[[str], float]
    """Finds the test perplexity in what the program prints."""

    def measure(self, built: Path, folder: Path) -> dict[Row, Speed]:
        """Train for an epoch, then test; the time of reading the texts counts."""
        train, valid, test = (folder / f"{split}.txt" for split in SPLITS)
        with tempfile.TemporaryDirectory() as scratch:
            model = [built / self.program, "-rnnlm", Path(scratch, "model")]
            texts = ["-train", train, "-valid", valid]
            _, training = run([*model, *texts, *self.options.split()])
            heard, testing = run([*model, "-independent", "-test", test])
        speed = Speed(words_of(train) / training, words_of(test) / testing, self.perplexity(heard))
        return {("100/0", self.name): speed}


def number_after(beginning: str, heard: str) -> float:
    """Return the number that follows some words in what a program printed."""
    found = re.search(beginning + r":?\s+([\d.]+)", heard)
    return float(found[1]) if found else math.nan


TOOLKITS = (
    Toolkit(
        "RNNLM Toolkit",
        "rnnlm",
        "-hidden 100 -class 100 -bptt 4 -bptt-block 10 -independent -max-iter 1",
        partial(number_after, "PPL net"),
    ),
    Toolkit(
        "faster-rnnlm",
        "faster-rnnlm/rnnlm",
        # It ends after an epoch that improves too little, as the first one does with this `-stop`.
        "-hidden 100 -threads 1 -stop 1000 -reject-threshold 0.1 -retry 0",
        lambda heard: 2 ** number_after("Test entropy", heard),
    ),
)


def peer_measure(path: Path, folder: Path) -> Measure:
    """Return the measurement of another program: a Python with PyTorch, or a toolkit's folder."""
    if path.is_file():
        return partial(measure_torch, path, folder)
    for toolkit in TOOLKITS:
        if (path / toolkit.program).is_file():
            return partial(toolkit.measure, path, folder)
    programs = " or ".join(toolkit.program for toolkit in TOOLKITS)
    sys.exit(f"error: --peers {path}: neither a Python nor a folder with {programs}")


def measure_torch(python: Path, folder: Path) -> dict[Row, Speed]:
    """Train and test by PyTorch, in a process of its own Python."""
    # PyTorch has libraries of its own, so variables that are meant for ours must not reach it.
    one_thread = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    heard, _ = run([python, Path(__file__), "--with-torch", folder], env=one_thread)
    return {("100/0", "PyTorch"): Speed(**json.loads(heard.splitlines()[-1]))}


def torch_speed(folder: Path) -> Speed:
    """Train an RNN of 100 tanh units with an adaptive softmax by PyTorch, then test it.

    Adam learns from 32 streams of 35 words per step, with gradients clipped at norm 1. The hidden
    state continues across sentence ends, which costs nothing and helps a little.
    """
    import torch  # noqa: PLC0415  # only PyTorch's own Python has it
    from torch import nn  # noqa: PLC0415

    torch.set_num_threads(1)
    torch.manual_seed(1)
    texts = {
        split: (folder / f"{split}.txt").read_text("utf-8").replace("\n", " </s> ").split()
        for split in SPLITS
    }
    # The adaptive softmax wants frequent words first.
    counted = Counter(texts["train"]).most_common()
    numbers = {word: number for number, (word, _) in enumerate(counted)}
    size, vocabulary = 100, len(numbers)
    embeddings = nn.Embedding(vocabulary, size)
    recurrent = nn.RNN(size, size)
    output = nn.AdaptiveLogSoftmaxWithLoss(size, vocabulary, [vocabulary // 15, vocabulary // 3])
    weights = [*embeddings.parameters(), *recurrent.parameters(), *output.parameters()]
    adam = torch.optim.Adam(weights, lr=2e-3)

    def read_through(split: str, *, learns: bool) -> tuple[float, float]:
        """Read a text once; return its words per second of processor time, and its perplexity."""
        words = torch.tensor([numbers[word] for word in texts[split]])
        streams, steps = 32, 35
        length = (len(words) - 1) // streams
        inputs = words[: streams * length].view(streams, length).T.contiguous()
        targets = words[1 : streams * length + 1].view(streams, length).T.contiguous()
        began = time.process_time()
        total, state = 0.0, None
        for at in range(0, length, steps):
            states, state = recurrent(embeddings(inputs[at : at + steps]), state)
            state = state.detach()
            loss = output(states.flatten(0, 1), targets[at : at + steps].flatten()).loss
            total += loss.item() * targets[at : at + steps].numel()
            if learns:
                adam.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(weights, 1.0)
                adam.step()
        seconds = time.process_time() - began
        return targets.numel() / seconds, math.exp(total / targets.numel())

    training, _ = read_through("train", learns=True)
    with torch.no_grad():
        testing, perplexity = read_through("test", learns=False)
    return Speed(training, testing, perplexity)


def table(networks: Sequence[str], commits: Sequence[str], measured: dict[Row, list[Speed]]) -> str:
    """Return the table of medians, with the ratios of the first commit's to each other one's."""
    medians = {
        row: Speed(
            median(speed.training for speed in speeds),
            median(speed.testing for speed in speeds),
            speeds[0].perplexity,
        )
        for row, speeds in measured.items()
    }
    own = [(size, commit) for size in networks for commit in commits]
    lines = [HEADINGS]
    for size, code in [*own, *(row for row in medians if row not in own)]:
        found = medians[size, code]
        lines.append(
            f"| {size} | {code} | {found.training:,.0f} "
            f"| {EIGHT_EPOCHS / found.training / 60:.0f} min "
            f"| {found.testing:,.0f} | {found.perplexity:.1f} |"
        )
        if code in commits[1:]:
            ours = medians[size, commits[0]]
            training, testing = ours.training / found.training, ours.testing / found.testing
            lines.append(f"| {size} | ratio to {code} | {training:.2f} | | {testing:.2f} | |")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"error: {error}")
