"""An n-gram model as a stranger writes it, from docs/audit.md alone: a trigram, interpolated."""

import math
import sys
from collections import Counter, defaultdict
from pathlib import Path

START, END = "<s>", "</s>"
train = [line.split() for line in Path("train.txt").read_text("utf-8").splitlines()]
vocabulary = {END, "<unk>"}.union(*train)
counts = defaultdict(Counter)
for sentence in train:
    padded = [START, START, *sentence, END]
    for n in range(2, len(padded)):
        for order in range(3):
            counts[tuple(padded[n - order : n])][padded[n]] += 1


def probability(word, history):
    """Witten-Bell: each order is mixed with the shorter ones by its number of distinct words."""
    lower = 1 / len(vocabulary) if not history else probability(word, history[1:])
    seen = counts.get(history, Counter())
    total, distinct = seen.total(), len(seen)
    if not history:
        return (seen[word] + len(vocabulary) * lower) / (total + len(vocabulary))
    return (seen[word] + distinct * lower) / (total + distinct) if total else lower


def known(word):
    return word if word in vocabulary else "<unk>"


for line in sys.stdin:
    words = [known(word) for word in line.split()]
    if not words:
        print(flush=True)
        continue
    padded = [START, START, *words, END]
    places = range(2, len(padded))
    logs = [math.log(probability(padded[n], tuple(padded[n - 2 : n]))) for n in places]
    print(" ".join(f"{log:.8f}" for log in logs), flush=True)
