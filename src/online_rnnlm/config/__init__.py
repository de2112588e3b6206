"""The types of a configuration's settings, and the plan of runs and evaluations made from them.

`plan.load` reads a file and checks it: an `Experiment`, whose `networks` are to be trained.
`corpora.planning` adds the digits that name its folders: a `Plan`, which the workflow writes to
`config.json` and every job reads again. Its `planned_rows` are the rows of the tables, each with
its runs, and `evaluations_of` are the evaluations of a run. The rules of the workflow ask for the
files that these names stand for.

Each module does one of three things; a reader follows them in this order:

1. It says what a user may write, and checks it.
   `mistakes`, `base`: the line that says what is wrong with a value, and the kinds of values;
   `reading`: the reading of a file;
   `sources`, `corpora`: the source of a text, and its preparation;
   `engines`, `training`: the engines, and the settings of a run;
   `rows`: the settings of rows and of searches;
   `rivals`, `testing`: the rivals, and the further tests;
   `experiment`: the whole configuration.
2. It names what is made, from settings alone.
   `runs`: a run, its names, and the digits that end them. A new setting of a run, or a new default
   of one, changes these digits, and all runs are made anew.
3. It plans.
   `networks`: the networks of the rows, and what their search tries;
   `plan`: their runs;
   `evaluations`: the evaluations of a run;
   `catalogue`: the tables and figures that an experiment has.
"""
