"""Texts of toy languages, from which small networks learn within seconds."""

import random
from pathlib import Path

TOPICS = {
    "farm": (("cat", "mouse", "milk", "hen"), ("sees", "hunts", "likes")),
    "sea": (("ship", "captain", "storm", "whale"), ("meets", "fears", "names")),
    "court": (("king", "queen", "crown", "duke"), ("wants", "keeps", "loses")),
}
"""The nouns and the verbs of each topic, which a document vector can learn."""
WORDS = [word for nouns, verbs in TOPICS.values() for word in (*nouns, *verbs)]


def tokenised_sentences(chance: random.Random, number: int) -> list[str]:
    """Return tokenised sentences with one topic each, some with a rare word at their end."""
    sentences = []
    for _ in range(number):
        nouns, verbs = TOPICS[chance.choice(list(TOPICS))]
        parts = []
        for _ in range(chance.randint(1, 4)):
            parts += ["the", chance.choice(nouns), chance.choice(verbs)]
        rare = f"rare{chance.randrange(200)}"
        sentences.append(" ".join([*parts, "the", chance.choice([*nouns, rare])]))
    return sentences


def raw_text(sentences: int) -> str:
    """Return raw text with one topic a paragraph, each on a line, and at least these sentences."""
    chance = random.Random(1)
    paragraphs = []
    while sentences > 0:
        nouns, verbs = TOPICS[chance.choice(list(TOPICS))]
        number = chance.randint(2, 6)
        sentences -= number
        found = []
        for _ in range(number):
            words = [f"the {chance.choice(nouns)} {chance.choice(verbs)}" for _ in range(3)]
            rare = chance.choice(["", "", f" n{chance.randint(1, 900)}"])
            found.append(f"{' '.join(words).capitalize()}{rare}, Mr. {chance.choice(nouns)}.")
        paragraphs.append(" ".join(found))
    return "\n".join(paragraphs) + "\n"


def write_chains(path: Path, sentences: int, seed: int) -> None:
    """Write tokenised sentences over fifty words, each of which predicts the next."""
    draw = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(sentences):
            word = draw.randrange(50)
            words = []
            for _ in range(draw.randrange(5, 15)):
                word = (word * 7 + draw.randrange(4)) % 50
                words.append(f"word{word}")
            file.write(" ".join(words) + "\n")
