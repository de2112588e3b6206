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
    Counts,
    SplitStatistics,
    Statistics,
    TextPreparation,
)
from online_rnnlm.storage.records.engines import Differences, EngineMeasurement, Measured
from online_rnnlm.storage.records.evaluations import (
    Costs,
    DivergedEvaluation,
    Evaluation,
    FurtherEvaluation,
    FurtherEvaluations,
    SplitMetrics,
    Trial,
)
from online_rnnlm.storage.records.models import (
    ModelDescription,
    SentenceIndex,
    SentenceSplitter,
)
from online_rnnlm.storage.records.others import (
    Captions,
    CompiledKernels,
    Complete,
    ConfigurationFile,
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
    "ConfigurationFile",
    "CorpusSource",
    "Costs",
    "Counts",
    "Differences",
    "DivergedEvaluation",
    "Effect",
    "EngineMeasurement",
    "Epoch",
    "Evaluation",
    "FurtherEvaluation",
    "FurtherEvaluations",
    "Job",
    "Machine",
    "Measured",
    "ModelDescription",
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
    "SentenceIndex",
    "SentenceSplitter",
    "SplitMetrics",
    "SplitStatistics",
    "Statistics",
    "StillAgainstStatic",
    "TextPreparation",
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
