"""The jobs of the workflow: trainings, tests and timings, and what they ask of a scheduler."""
