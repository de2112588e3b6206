"""Models that a user would pick instead."""
