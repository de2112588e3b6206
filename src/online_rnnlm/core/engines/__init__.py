"""The engines: ways to train and score the model, on a CPU or a GPU."""
