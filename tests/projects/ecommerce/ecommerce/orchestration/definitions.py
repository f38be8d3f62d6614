"""Dagster definitions of the e-commerce pipeline."""

from floe_dagster import FloeDefinitions

defs = FloeDefinitions.from_compiled_artifacts(namespace="ecommerce")
