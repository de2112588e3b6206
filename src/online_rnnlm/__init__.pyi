"""The types of the package's public names."""

from online_rnnlm.errors import UserError as UserError
from online_rnnlm.storage.records import ModelDescription as ModelDescription
from online_rnnlm.tracking.opening import load as load
from online_rnnlm.use.mixing import Mixture as Mixture
from online_rnnlm.use.mixing import read_scores as read_scores
from online_rnnlm.use.model import TrainedModel as TrainedModel
from online_rnnlm.use.state import State as State

__all__ = [
    "Mixture",
    "ModelDescription",
    "State",
    "TrainedModel",
    "UserError",
    "load",
    "read_scores",
]
