"""The types of the package's public names."""

from online_rnnlm.analysis.comparing import compare as compare
from online_rnnlm.auditing.functions import audit as audit
from online_rnnlm.errors import UserError as UserError
from online_rnnlm.use.model import TrainedModel as TrainedModel
from online_rnnlm.use.model import load as load
from online_rnnlm.use.model_file import ModelDescription as ModelDescription
from online_rnnlm.use.network import State as State

__version__: str

__all__ = [
    "ModelDescription",
    "State",
    "TrainedModel",
    "UserError",
    "audit",
    "compare",
    "load",
]
