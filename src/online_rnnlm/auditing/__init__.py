"""Checks of scorers by an audit: the project's own networks, and other programs."""
