"""How a run of Dagster is watched: the executor around any other, and what its events tell."""
