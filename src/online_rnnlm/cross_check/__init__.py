"""Checks of computations by others: engines by each other, and scorers by an audit."""
