"""The method: all that decides a weight or a log-probability, and nothing else.

A reader who wants to understand the idea reads these files, in this order:

- `settings`, `sizes`, `parameters`, `cells`: what decides a network, its sizes, its six matrices,
  its hidden layers;
- `graph`: the definition, as one symbolic graph; `updates`: the steps of its weights;
- `text`, `classes`: the text and the words' classes as arrays;
- `adaptation`, `order`, `carried`: what is updated while a text is scored, the order in which it is
  read, what is carried over from one piece of it to the next;
- `schedule`, `training`: the learning rate, the epochs;
- `scoring`: scoring with a trained network; the mean error, and the whole distribution of the next
  word;
- `engines`: the same in fast code, tested against the graph.

This folder imports nothing else of the package. It knows no costs, no command line, and no files
but those by which it speaks with Theano's process, and has no messages for users but the reasons of
`Diverged` and `CannotCompute`. A run's name has a fingerprint of the code here that trains it
(`storage.code`): a change of its engine or its cell gives the run a new name, and so does a change
of its settings or of the prepared text.
"""
