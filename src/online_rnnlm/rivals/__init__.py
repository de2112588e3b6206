"""Methods from outside the paper that a user may add to a static network instead of a vector.

Each is a module; `evaluations` tests a run with one of them, or with an adaptation. The names and
what tables call them are in `config/rivals.py`, which planning reads without loading these modules.
"""
