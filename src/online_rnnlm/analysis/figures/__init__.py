"""The figures of an experiment, each with a caption made from its data.

A module with a function `draw` draws the figure that has its name; `config/catalogue.py` lists
the figures. The other modules hold code that figures share.
"""
