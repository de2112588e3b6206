"""The invented experiment of these tests."""

from typing import Any

from online_rnnlm.config.plan import Plan
from tests.unit.analysis import fake_experiment

ROWS = [
    {"hidden_size": hidden, "document_size": size, "learning_rate": rate}
    for hidden, size, rate in ((120, 0, 0.2), (100, 20, 0.1))
]


def experiment(**changes: Any) -> Plan:
    """Return the invented experiment, two rows of two seeds; `changes` replace its settings."""
    return fake_experiment.experiment(**{"rows": ROWS, "seeds": [1, 2]} | changes)


STATIC, _, RUN, _ = (run.name for run in experiment().runs())
"""The first run of the static network, and of the one with a vector."""
