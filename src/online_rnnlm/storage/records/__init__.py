"""The JSON records that the stages write: one class for each kind of file.

docs/data-formats.md is made from the classes and from the docstrings of their fields (`make
document`).
"""

from online_rnnlm.storage.records.base import *
from online_rnnlm.storage.records.claims import *
from online_rnnlm.storage.records.corpora import *
from online_rnnlm.storage.records.evaluations import *
from online_rnnlm.storage.records.models import *
from online_rnnlm.storage.records.others import *
from online_rnnlm.storage.records.runs import *
