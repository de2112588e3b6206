"""The tables, one a module, which makes the rows and says what each column shows of them.

`making` makes each table of `config/catalogue.py` by the function `make` of the module of its name;
the report alone shows those of `of_report`. `table` has what tables share, `values` turns values
into texts, and `writing` writes tables.
"""
