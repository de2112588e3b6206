"""The tables of an experiment, each as CSV, Markdown, LaTeX and HTML.

A module with a function `make` makes the table of its name; `analysis/catalogue.py` lists them.
The other modules are what tables share.
"""
