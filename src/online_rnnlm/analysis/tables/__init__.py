"""The tables of an experiment, each as CSV, Markdown, LaTeX and HTML.

A module with a function `make` makes the table that has its name; `config/catalogue.py` lists the
tables. `table.py` has what they share, and writes them.
"""
