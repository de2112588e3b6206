"""The figures of an experiment; `config/catalogue.py` lists the functions that draw them."""
