"""The jobs of the workflow: trainings, tests and timings, and what they ask of a scheduler.

The job that tests a run is `rivals/evaluations.py`, as a run may be tested with a rival.
"""
