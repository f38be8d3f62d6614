"""Settings of the step that makes assets: what Dagster has once for all assets of one op."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

import dagster as dg

from floe_core.errors import Problem, ProblemCollector
from floe_core.schemas.asset_config import BackfillPolicy
from floe_core.schemas.job_definition import RetryPolicy
from floe_dagster.asset_settings.patterns import AssetSettings, KeySettings
from floe_dagster.selection.asset_index import KeyPath


@dataclass(frozen=True)
class OpSettings:
    """What is set for an op; None where it stays as it is."""

    backfill_policy: dg.BackfillPolicy | None = None
    retry_policy: dg.RetryPolicy | None = None
    pool: str | None = None
    config: Mapping[str, object] | None = None

    @classmethod
    def of(cls, settings: KeySettings) -> "OpSettings":
        """What is set for the op of an asset with *settings*."""
        config = settings.config
        return cls(
            backfill_policy=None if config.backfill_policy is None else build_backfill_policy(config.backfill_policy),
            retry_policy=None if config.retry_policy is None else build_retry_policy(config.retry_policy),
            pool=config.pool,
            config=config.config,
        )

    def suited_to(self, specs: Iterable[dg.AssetSpec]) -> "OpSettings":
        """The same without what says nothing of *specs*: how many partitions a run takes, where they have none."""
        if self.backfill_policy is None or any(spec.partitions_def is not None for spec in specs):
            return self
        return replace(self, backfill_policy=None)


OP_FIELDS = tuple(each.name for each in fields(OpSettings))


def build_backfill_policy(policy: BackfillPolicy) -> dg.BackfillPolicy:
    """The policy that *policy* describes."""
    if policy.type == "single_run":
        return dg.BackfillPolicy.single_run()
    return dg.BackfillPolicy.multi_run(policy.max_partitions_per_run or 1)


def build_retry_policy(policy: RetryPolicy) -> dg.RetryPolicy:
    """The policy that *policy* describes."""
    return dg.RetryPolicy(
        max_retries=policy.max_retries,
        delay=policy.delay,
        backoff=None if policy.backoff is None else dg.Backoff[policy.backoff.upper()],
        jitter=None if policy.jitter is None else dg.Jitter[policy.jitter.upper()],
    )


def unite_op_settings(
    keys: Iterable[KeyPath],
    settings: AssetSettings,
    *,
    present: OpSettings,
    origins: Mapping[KeyPath, str],
    problems: ProblemCollector,
) -> OpSettings:
    """What is set for the one op that makes all of *keys*.

    Assets for which nothing is set agree with those for which the value is set that the code has.

    Args:
        keys: The assets of the op.
        settings: What floe.yaml says.
        present: What the code says.
        origins: Where assets are defined, for errors.
        problems: Where it is noted that the patterns of some assets say something else than those of others.
    """
    found = {key: settings.of(key) for key in sorted(keys)}
    distinct = list(dict.fromkeys(found.values()))
    if len(distinct) == 1:
        return OpSettings.of(distinct[0])
    united = OpSettings()
    for name in OP_FIELDS:
        value = next((value for each in distinct if (value := getattr(OpSettings.of(each), name)) is not None), None)
        by_code = getattr(present, name)
        others = [key for key, each in found.items() if _value(each, name, otherwise=by_code) != value]
        if value is not None and others:
            setter = next(key for key, each in found.items() if name in each.fields)
            problems.add(_disagree(name, setter, others[0], settings, origins))
        elif value is not None:
            united = replace(united, **{name: value})
    return united


def _value(settings: KeySettings, name: str, *, otherwise: object) -> object:
    value = getattr(OpSettings.of(settings), name)
    return otherwise if value is None else value


def _disagree(
    name: str, setter: KeyPath, other: KeyPath, settings: AssetSettings, origins: Mapping[KeyPath, str]
) -> Problem:
    theirs = settings.of(other).places.get(name)
    origin = origins.get(other)
    where = f"set at {theirs}" if theirs else f"not set by any pattern{f', defined at {origin}' if origin else ''}"
    return Problem(
        "FLOE-381",
        f"'{name}' is set for asset '{'/'.join(setter)}', and otherwise for '{'/'.join(other)}' of the same step",
        settings.of(setter).locate(name),
        detail=f"{'/'.join(other)}: {where}",
        why=f"one step makes both assets, and Dagster has one {name} for the whole step",
        fix=f"set it by a pattern that matches all assets of the step, such as '{{{setter[-1]},{other[-1]}}}'",
    )
