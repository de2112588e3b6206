"""The jobs of the workflow: trainings, evaluations, timings, and what they ask of a scheduler."""
