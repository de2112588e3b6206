"""Display of an experiment's runs in MLflow, which can be rebuilt from the files at any time."""
