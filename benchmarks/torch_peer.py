"""A PyTorch model of the same size, run by an interpreter that has PyTorch; JSON in and out.

`nn.RNN` has no logistic units, so its units are tanh. Adam trains it on 32 streams of 35 words per
step, with gradients clipped at norm 1. The learning rate is halved after an epoch that does not
improve. The hidden state continues across sentence ends, which costs nothing and helps a little.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

HIDDEN_SIZE = 100
STREAMS, STEPS = 32, 35
RATE, LARGEST_NORM = 2e-3, 1.0
_VALID_STREAMS = 20


class Model(nn.Module):
    """Embeddings, a plain recurrent layer and an adaptive softmax (frequent words are cheap)."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(vocabulary, HIDDEN_SIZE)
        self.recurrent = nn.RNN(HIDDEN_SIZE, HIDDEN_SIZE)
        shares = (vocabulary // 15, vocabulary // 3)
        bounds = sorted({max(1, share) for share in shares})
        self.output = nn.AdaptiveLogSoftmaxWithLoss(HIDDEN_SIZE, vocabulary, bounds)

    def forward(
        self, inputs: Tensor, targets: Tensor, state: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return the mean of -log P over the targets (T, B), and the last hidden state."""
        outputs, state = self.recurrent(self.embeddings(inputs), state)
        return self.output(outputs.flatten(0, 1), targets.flatten()).loss, state.detach()


def streams(file: str, width: int) -> tuple[Tensor, Tensor]:
    """Cut the corpus into B = `width` long streams; returns inputs and targets (T, B)."""
    stream = np.load(file).astype(np.int64)
    steps = (len(stream) - 1) // width
    cut = slice(0, steps * width), slice(1, steps * width + 1)
    inputs, targets = (torch.from_numpy(stream[c].reshape(width, steps).T.copy()) for c in cut)
    return inputs, targets


def main(about: dict[str, Any]) -> None:
    """Learn until the time is over or the perplexity is reached; print the results as JSON."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = Model(about["vocabulary"])
    adam = torch.optim.Adam(model.parameters(), lr=RATE)
    train = streams(about["train"], STREAMS)
    valid = streams(about["valid"], _VALID_STREAMS)
    began, epochs, best = time.process_time(), [], float("inf")
    while time.process_time() - began < about["seconds"] and best > about["perplexity"]:
        left = about["seconds"] - (time.process_time() - began)
        words, seconds = learn(model, adam, train, left)
        perplexity = validate(model, valid)
        if perplexity > best:
            for group in adam.param_groups:
                group["lr"] /= 2
        best = min(best, perplexity)
        total = time.process_time() - began
        epochs.append({"words": words, "cpu_seconds": seconds, "cpu_everything": total,
                       "valid_perplexity": perplexity})  # fmt: skip
    about = {"version": torch.__version__, "seconds": about["seconds"]}
    print(json.dumps({**about, "epochs": epochs}))


def learn(
    model: Model, adam: torch.optim.Adam, split: tuple[Tensor, Tensor], most: float
) -> tuple[int, float]:
    """Train one epoch, for at most `most` seconds; returns its words and processor seconds."""
    inputs, targets = split
    began, words, state = time.process_time(), 0, None
    for step in range(0, len(inputs), STEPS):
        part = inputs[step : step + STEPS], targets[step : step + STEPS]
        loss, state = model(*part, state)
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), LARGEST_NORM)
        adam.step()
        words += part[0].numel()
        if time.process_time() - began > most:
            break
    return words, time.process_time() - began


@torch.no_grad()
def validate(model: Model, split: tuple[Tensor, Tensor]) -> float:
    """Return the perplexity."""
    total, state = 0.0, None
    inputs, targets = split
    for step in range(0, len(inputs), STEPS):
        part = inputs[step : step + STEPS], targets[step : step + STEPS]
        loss, state = model(*part, state)
        total += loss.item() * part[0].numel()
    return float(np.exp(total / inputs.numel()))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
