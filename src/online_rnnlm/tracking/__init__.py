"""An experiment's runs in MLflow: a view of the files, which can be rebuilt at any time."""
