"""Online representation learning in recurrent neural language models, reproduced."""
