"""Compiled loops that compute what the plain graph does, fast; tested against it.

Types are numba's: the functions here have no annotations.
"""
