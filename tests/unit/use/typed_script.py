"""A user's script, which mypy checks with the package: what it must refuse is marked so.

`make lint` fails if mypy refuses anything else here, or accepts a line that is marked.
"""

import online_rnnlm
from online_rnnlm import load

model = load("demo.onlm")
table = model.score(["the cat"], unit_of_text="stream", tokenised=True)
state = model.start(frozen=True)
logs, state = model.continue_(state, ["the", "cat"])
version: str = online_rnnlm.__version__
total: float = logs.sum() + model.entropy(state)
words: list[str] = [one.word for one in model.likeliest(state)]

model.score(["x"], tokenized=True)  # type: ignore[call-arg]
model.score(["x"], unit_of_text="page")  # type: ignore[arg-type]
model.start(frozen="no")  # type: ignore[arg-type]
model.sample(number="3")  # type: ignore[arg-type]
