"""MLflow: entering of runs from their files, its interface, and models by their addresses there."""
