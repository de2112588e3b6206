"""The process that a job runs in: its environment, its hardware and the signals that stop it."""
