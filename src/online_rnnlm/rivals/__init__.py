"""Methods from outside the paper that a user may add to a static network instead of a vector.

Each is a module whose function `evaluate` tests a run, or a corpus, with it. If it is added to a
run and is no mixture, its function `scorer` returns the function that scores a text by settings
that are chosen already, which `jobs.timing` times. A module is loaded by its name. The names and
what tables call them are in `config/rivals.py`, which planning reads without loading these modules.
"""
