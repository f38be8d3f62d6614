"""The language of automation conditions in floe.yaml: what may be written, and what was; nothing of Dagster in it."""
