"""The tables, one a module, with the type of its rows, its columns, and the making of its rows.

`making` maps each table of `config/catalogue.py` to the function that makes it; the report alone
shows those of `of_report`. `table` has what tables share, `values` how they show values, and
`writing` writes them.
"""
