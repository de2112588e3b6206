"""Methods from outside the paper that a user may add to a static network instead of a vector.

Each is a module whose function `evaluate` tests a run, or a corpus, with it; `jobs.evaluation`
loads it by its name. The names and what tables call them are in `config/rivals.py`, which planning
reads without loading these modules.
"""
