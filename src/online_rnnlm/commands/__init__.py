"""The verbs of the command `online-rnnlm`, one module each, with the name of the verb."""
