"""The tables, one a module, which makes the rows and says what each column shows of them.

A table of `config/catalogue.py` is made by the function `make` of the module of its name; the
report alone shows those of `of_report`. `table` has what tables share, `values` turns values into
texts, and `writing` writes tables.
"""
