"""The model in the order that a GPU likes, for JAX: large products of words of the same class.

The states of all words come first, in a scan over time. Then words are put together by their class:
a block of words of one class is multiplied by a tile of that class's rows of W_o, so weights are
read once a block and not once a word. The document vector learns in a second scan, which needs no
products with W_o any more. All gradients of the weights follow from the whole batch.

`tiles` cuts the classes into tiles, `arrangement` puts a batch's words in order and `network`
computes. This serves models whose vector feeds only the output layer; others need h and d step by
step, and so the plain graph.
"""
