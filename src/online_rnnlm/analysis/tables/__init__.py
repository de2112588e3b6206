"""The tables, one a module, with the type of its rows, its columns, and the making of its rows.

The module of a table is looked for by the table's name in `config/catalogue.py`; the report alone
shows those of `of_report`. `table` has what they share, and `writing` writes them.
"""
