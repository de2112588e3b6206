"""The method: all that decides a weight or a log-probability, and nothing else.

A reader who wants to understand the idea reads these files, in this order:

- `sizes`, `parameters`, `cells`: the sizes of a network, its six matrices, its hidden layers;
- `graph`: the definition, as one symbolic graph; `updates`: how its weights learn;
- `text`, `classes`, `way`, `lanes`: the text and the words' classes as arrays, how a text is read
  and what adapts to it, the order of its parts;
- `schedule`, `training`: the learning rate, the epochs;
- `scoring`: scoring with a trained network, with adaptation or without; the mean error, and the
  whole distribution of the next word;
- `engines`: the same in fast code, tested against the graph.

This folder imports nothing else of the package, but for the types of the settings that it is given.
It knows no costs, no command line, and no files but those by which it speaks with Theano's process.
It says only why training has diverged, or why an engine cannot compute here. Its digest
(`storage.code`) is a part of the identity of every run: a change here makes new runs; so does a
change of the settings or of the prepared text.
"""
