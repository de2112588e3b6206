"""The JSON records that the stages write: one class for each kind of file.

docs/data-formats.md is made from the classes' docstrings and descriptions (`make document`).
"""

from online_rnnlm.storage.records.base import (
    Number,
    Part,
    Record,
    check_version,
    read,
    read_if_there,
    read_lines,
    read_one_of,
    read_one_of_if_there,
    write,
    write_lines,
)
from online_rnnlm.storage.records.claims import (
    Claim,
    Claims,
    ClaimTests,
    Effect,
    SeedDifference,
    StillAgainstStatic,
    UntestedClaim,
)
from online_rnnlm.storage.records.corpora import (
    CorpusSource,
    SplitStatistics,
    Statistics,
)
from online_rnnlm.storage.records.evaluations import (
    Costs,
    DivergedEvaluation,
    Evaluation,
    FurtherEvaluation,
    FurtherEvaluations,
    SplitMetrics,
    Trial,
)
from online_rnnlm.storage.records.others import (
    Captions,
    CompiledKernels,
    Complete,
    CrossCheck,
    Differences,
    ResultsFolder,
    Tracked,
)
from online_rnnlm.storage.records.receipts import Order, Receipt
from online_rnnlm.storage.records.runs import (
    Accounting,
    Epoch,
    Job,
    Machine,
    RunDivergence,
    RunRecord,
    RunResult,
    Searched,
)

__all__ = [
    "Accounting",
    "Captions",
    "Claim",
    "ClaimTests",
    "Claims",
    "CompiledKernels",
    "Complete",
    "CorpusSource",
    "Costs",
    "CrossCheck",
    "Differences",
    "DivergedEvaluation",
    "Effect",
    "Epoch",
    "Evaluation",
    "FurtherEvaluation",
    "FurtherEvaluations",
    "Job",
    "Machine",
    "Number",
    "Order",
    "Part",
    "Receipt",
    "Record",
    "ResultsFolder",
    "RunDivergence",
    "RunRecord",
    "RunResult",
    "Searched",
    "SeedDifference",
    "SplitMetrics",
    "SplitStatistics",
    "Statistics",
    "StillAgainstStatic",
    "Tracked",
    "Trial",
    "UntestedClaim",
    "check_version",
    "read",
    "read_if_there",
    "read_lines",
    "read_one_of",
    "read_one_of_if_there",
    "write",
    "write_lines",
]
