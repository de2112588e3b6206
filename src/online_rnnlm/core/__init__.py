"""The model: its symbolic graph, the cells, parameters, sizes, weight files and costs."""
