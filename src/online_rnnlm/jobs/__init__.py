"""The training of runs: epochs, the learning-rate schedule and checkpoints."""
