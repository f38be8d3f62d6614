"""Partitions definitions in the words of messages."""

import dagster as dg

from floe_core.suggestions import list_names

_SHOWN_KEYS = 4


def describe_partitions(partitions_def: dg.PartitionsDefinition | None) -> str:
    """What *partitions_def* is, such as `a time window of '0 0 * * *' from 2024-01-01 in UTC`.

    >>> describe_partitions(dg.StaticPartitionsDefinition(["us", "eu"])), describe_partitions(None)
    ('the keys us, eu', 'no partitions')
    """
    match partitions_def:
        case None:
            return "no partitions"
        case dg.TimeWindowPartitionsDefinition(cron_schedule=cron, start=start, timezone=timezone):
            begin = start.date() if start.time() == start.min.time() else start.replace(tzinfo=None)
            return f"a time window of '{cron}' from {begin} in {timezone}"
        case dg.StaticPartitionsDefinition():
            return f"the keys {list_names(partitions_def.get_partition_keys(), limit=_SHOWN_KEYS)}"
        case dg.MultiPartitionsDefinition(partitions_defs=dimensions):
            shown = (f"{dimension.name} ({describe_partitions(dimension.partitions_def)})" for dimension in dimensions)
            return " × ".join(shown)
        case dg.DynamicPartitionsDefinition(name=name):
            return f"the dynamic keys of '{name}'"
        case _:
            return str(partitions_def)
