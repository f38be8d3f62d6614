"""What is told of a run while it goes on, and what has become of its assets, checks and ops."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

AssetStatus: TypeAlias = Literal["materialized", "observed", "failed", "canceled", "skipped"]
CheckStatus: TypeAlias = Literal["passed", "warned", "failed", "skipped"]
OpStatus: TypeAlias = Literal["done", "failed", "canceled"]


@dataclass(frozen=True, slots=True)
class AssetResult:
    """One asset of a run; `rows` where its metadata says so, `seconds` where it ran.

    Of a skipped one, `because` names the assets and checks upstream whose failure kept it from being built.
    """

    key: str
    status: AssetStatus
    rows: int | None = None
    seconds: float | None = None
    partition: str | None = None
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One asset check of a run."""

    asset: str
    name: str
    status: CheckStatus
    description: str = ""
    seconds: float | None = None

    @property
    def label(self) -> str:
        """The check as messages write it: `bronze/customers: not_null_id`."""
        return f"{self.asset}: {self.name}"


@dataclass(frozen=True, slots=True)
class OpResult:
    """One op of a run that makes neither assets nor checks, with what it says of its outputs, as JSON has it."""

    step: str
    status: OpStatus
    seconds: float | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run began; how much it is going to bring."""

    run_id: str
    assets: int
    checks: int


@dataclass(frozen=True, slots=True)
class RunRetried:
    """The run failed and goes on in another run, from where it failed."""

    failed_run_id: str
    attempt: int
    attempts: int


@dataclass(frozen=True, slots=True)
class RunInterrupted:
    """Somebody wants the run to end before its time; it is about to."""


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step began; the assets and checks that it will bring, and whether dbt is what brings them."""

    step: str
    assets: tuple[str, ...]
    checks: int
    is_dbt: bool = False


@dataclass(frozen=True, slots=True)
class StepRetried:
    """A step failed and will be tried again."""

    step: str
    error: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended well; for steps without assets, such as those of ops jobs."""

    step: str
    seconds: float | None
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step failed, with the user's own error."""

    step: str
    error: str
    assets: tuple[str, ...] = ()


RunNews: TypeAlias = (
    RunStarted
    | RunRetried
    | RunInterrupted
    | StepStarted
    | StepRetried
    | StepFinished
    | StepFailed
    | AssetResult
    | CheckResult
)
