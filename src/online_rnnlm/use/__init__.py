"""A trained model in use: one file that holds it, and the scoring and making of text with it."""
