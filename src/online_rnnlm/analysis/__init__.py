"""Tables, figures, claims, evidence and the report, all made from finished runs.

`reading` makes `results` of an experiment's records, with what it lacks. `systems` has what is
compared, `opponents` says which networks stand against which, and `scores` compares them by their
log-probabilities, with the statistics of `significance`. From these `claims`, `tables` and
`figures` are made. `report` shows them on one page, by `templates`, with the sentences of
`wording`. `evidence` keeps what a reader needs to make them again.

`comparing` compares any two models.
"""
