"""The audit of what scores text: the rules of a fair test, tried by its answers alone.

Only `networks` imports other packages.
"""
