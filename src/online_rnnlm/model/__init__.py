"""The model: parameters, the symbolic graph, and the fast kernels that replace parts of it."""
