"""Automation conditions: what floe.yaml says of them as Dagster has it, and what follows from them."""
