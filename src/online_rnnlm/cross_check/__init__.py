"""A cross-check of the engines: each makes the same updates, and they are compared and timed."""
