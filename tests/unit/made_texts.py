"""Made texts, for tests that any bytes give a result or one clear line.

FUZZ=10000 tries as many of each kind; the usual run tries fewer.
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

many = settings(
    max_examples=int(os.environ.get("FUZZ", "60")), suppress_health_check=list(HealthCheck)
)
PIECES = st.sampled_from(
    [
        *("a", "The cat sat.", " ", "\n", "\r\n", "\r", "\t", "\ufeff", "\u2028", "\u200b", "\0"),
        *("<unk>", "<UNK>", "</s>", "Dr. No!", "?", '"', "``", "İ", "é", "e\u0301", "今天。", "ก็"),
        *('{"text": "', '"}', '{"text": "x"}', '{"text": null}', "\\ud800", "\\u0000", "[", "😀"),
        *("= A =", " @-@ ", "'s", "...", "x" * 300, "0 ||| ", " ||| ", "u-1 ", "-3.5", "F= -1"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=25).map("".join)
BYTES = st.binary(max_size=60) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))
