"""Jobs over ops: one function, op or graph, and what it returns."""
