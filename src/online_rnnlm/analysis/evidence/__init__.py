"""A small folder by which a reader checks an experiment's tables without training its networks.

It keeps the records of runs and evaluations, and the scores of each article. `keeping` makes it;
`checking` has its files, and gives what it keeps to the code that made the tables and the claims.
"""
