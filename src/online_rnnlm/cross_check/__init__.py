"""A comparison of all engines (`make engines`)."""
