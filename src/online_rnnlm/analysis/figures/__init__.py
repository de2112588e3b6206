"""The figures of an experiment, each with a caption made from its data.

A module with a function `draw` draws the figure of its name; `analysis/catalogue.py` lists them.
The other modules are what figures share.
"""
