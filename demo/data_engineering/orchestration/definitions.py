"""What Dagster loads; floe.yaml says what is in it."""

from floe_dagster import FloeDefinitions

defs = FloeDefinitions.from_compiled_artifacts(namespace="online-shop")
