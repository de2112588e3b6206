"""The figures of an experiment, a subject a module.

`writing` maps each figure of `config/catalogue.py` to the function that draws it. `drawing` has
what all figures share, and `looks` the colours and marks of what they show.
"""
