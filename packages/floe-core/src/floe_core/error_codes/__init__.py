"""The stable code of every kind of problem, with what `floe explain` and the reference say about it."""
