"""The verbs of the command `online-rnnlm`: one module each, named as the rule that runs it."""
