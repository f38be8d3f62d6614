"""A user's own dbt calls."""

from dagster_dbt import DbtCliResource


def build_twice(context, dbt: DbtCliResource):
    """Two calls in one step: one that is waited for, one that is read."""
    dbt.cli(["seed"], context=context).wait()
    for _ in dbt.cli(["build", "--select", "countries customer_codes"], context=context).stream_raw_events():
        pass
