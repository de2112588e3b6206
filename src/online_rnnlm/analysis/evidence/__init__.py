"""A small folder by which a reader checks an experiment's tables without training its networks.

It keeps the records of runs and evaluations, and the scores of each article. `folder` has its files
and `keeping` makes them; `checking` gives what they hold to the code that made the tables and the
claims, and says whether that makes them again.
"""
