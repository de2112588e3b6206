"""The tables, one a module, with the type of its rows, its columns, and the making of its rows.

`making` makes each table of `config/catalogue.py` by the function `make` of the module of its name;
the report alone shows those of `of_report`. `table` has what tables share, `values` how they show
values, and `writing` writes them.
"""
