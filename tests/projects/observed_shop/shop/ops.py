"""A user's own dbt calls."""

from dagster_dbt import DbtCliResource


def build_twice(context, dbt: DbtCliResource):
    """Two calls in one step: one that is waited for, one without a context that fails and is read."""
    dbt.cli(["seed"], context=context).wait()
    build = dbt.cli(["build", "--select", "countries refunds no_such_model"], raise_on_error=False)
    for _ in build.stream_raw_events():
        pass
    context.log.info("succeeded: %s", build.is_successful())
