"""The verbs of the command `online-rnnlm`: a module for each subject."""
