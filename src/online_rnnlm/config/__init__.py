"""The types of a configuration's settings, and the plan of runs and evaluations made from them.

`experiment.load` reads a file and checks it: an `Experiment`, whose `networks` are to be trained.
`corpora.planning` adds the digits that name its folders: a `Plan`, which the workflow writes to
`config.json` and every job reads again. Its `planned_rows` are the rows of the tables, each with
its runs, and `evaluations_of` are the evaluations of a run. The rules of the workflow ask for the
files that these names stand for.

A reader follows the modules in this order:

- `mistakes`, `base`: the line that says what is wrong with a value, and the kinds of values;
- `sources`, `corpora`: the source of a text, and its preparation;
- `engines`, `training`: the engines, and the settings of a run;
- `runs`: a run, its names, and the digits that end them;
- `rows`, `planned_rows`: what a user writes of training, and the runs that follow;
- `rivals`, `testing`, `evaluations`: the rivals, the further tests, and the evaluations of a run;
- `reading`, `experiment`: the reading of a file, the whole configuration, and its plan;
- `catalogue`: the tables and figures that an experiment has.
"""
