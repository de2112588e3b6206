"""Dynamic evaluation as a stranger writes it, from docs/audit.md alone: a small model in numpy.

A softmax over the vocabulary from the embedding of the word before; after each sentence all weights
take a step down the gradient of its loss.
"""

import sys
from pathlib import Path

import numpy as np

words = Path("words.txt").read_text("utf-8").split()
ids = {word: n for n, word in enumerate(words)}
UNKNOWN, END = ids["<unk>"], ids["</s>"]
trained = [np.random.default_rng(seed).normal(0, 0.5, (len(words), 8)) for seed in (1, 2)]
embeddings, output = (weights.copy() for weights in trained)


def log_softmax(previous):
    scores = output @ embeddings[previous]
    return scores - np.logaddexp.reduce(scores)


def learn(sentence, rate=0.2):
    """One step for all words of a sentence."""
    steps = [np.zeros_like(embeddings), np.zeros_like(output)]
    for previous, word in zip([END, *sentence], sentence, strict=False):
        error = -np.exp(log_softmax(previous))
        error[word] += 1
        steps[0][previous] += output.T @ error
        steps[1] += np.outer(error, embeddings[previous])
    embeddings[:] += rate * steps[0]
    output[:] += rate * steps[1]


for line in sys.stdin:
    fields = line.rstrip("\n").split("\t")
    if not fields[0]:
        embeddings[:], output[:] = trained
        print(flush=True)
        continue
    sentence = [ids.get(word, UNKNOWN) for word in fields[0].split()] + [END]
    befores = [END, *sentence[:-1]]
    answer = [" ".join(str(log_softmax(b)[w]) for b, w in zip(befores, sentence, strict=True))]
    if len(fields) == 3:
        logs = log_softmax(befores[int(fields[1])])
        answer.append(" ".join(str(logs[ids.get(word, UNKNOWN)]) for word in fields[2].split()))
    learn(sentence)
    print("\t".join(answer), flush=True)
