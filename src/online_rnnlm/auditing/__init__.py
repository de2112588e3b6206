"""The audit of what scores text: the rules of a fair test, tried by its answers alone.

To audit a function or a program, the standard library is enough; `networks` alone loads numpy and
the engines.
"""
