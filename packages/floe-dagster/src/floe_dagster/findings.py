"""What is wrong with a project, collected over the stages of loading it."""

import re
from collections.abc import Collection, Iterable, Iterator
from enum import Enum

from floe_core.documents import FloeDocument
from floe_core.errors import FloeError, Problem, ProblemCollector
from floe_core.schemas.asset_config import AssetConfig

_OF_PARTITIONS = frozenset(
    {"FLOE-340", "FLOE-342", "FLOE-343", "FLOE-347", "FLOE-348", "FLOE-350", "FLOE-351", "FLOE-356", "FLOE-358"}
    | {"FLOE-359", "FLOE-383", "FLOE-384", "FLOE-385", "FLOE-387", "FLOE-397", "FLOE-411"}
)
_OF_SELECTIONS = frozenset({"FLOE-331", "FLOE-332", "FLOE-333", "FLOE-334", "FLOE-345", "FLOE-349"})
_NAMES_AN_ASSET = re.compile(r" (asset|pattern) '")
_OF_CONDITIONS = frozenset({"FLOE-345", "FLOE-348", "FLOE-349"})
_OF_RESOURCES = frozenset({"FLOE-353", "FLOE-374"})
_OF_NO_ASSETS = frozenset(
    {"FLOE-301", "FLOE-302", "FLOE-303", "FLOE-304", "FLOE-311", "FLOE-312", "FLOE-313", "FLOE-314", "FLOE-354"}
    | {"FLOE-355", "FLOE-371", "FLOE-372", "FLOE-373", "FLOE-396"}
)


class Gap(Enum):
    """Something that is not known because of an error in it, or because it waits for a variable."""

    MODULES = "what Python modules define"
    ASSETS = "which assets there are"
    PARTITIONS = "the partitions of some assets"
    ATTRIBUTES = "groups, tags, kinds and owners of some assets"
    CONDITIONS = "the automation conditions of some assets"
    RESOURCES = "which resources there are"

    def may_cause(self, problem: Problem) -> bool:
        """Whether *problem* may be told only because of the gap."""
        match self:
            case Gap.MODULES:
                return problem.code not in _OF_NO_ASSETS
            case Gap.ASSETS:
                return problem.code not in _OF_NO_ASSETS | {"FLOE-374"}
            case Gap.PARTITIONS:
                return problem.code in _OF_PARTITIONS
            case Gap.ATTRIBUTES:
                return problem.code in _OF_SELECTIONS and not _NAMES_AN_ASSET.search(problem.what)
            case Gap.CONDITIONS:
                return problem.code in _OF_CONDITIONS
            case Gap.RESOURCES:
                return problem.code in _OF_RESOURCES


_OF_KEYS = frozenset({"FLOE-340", "FLOE-358"})
_GAPS_OF_OTHER_ASSETS = frozenset({Gap.MODULES, Gap.ASSETS, Gap.CONDITIONS, Gap.RESOURCES})
_ATTRIBUTES = ("group_name", "kinds", "compute_kind", "owners", "tags")
_GAPS_OF_CODES = {
    "FLOE-350": (Gap.PARTITIONS,),
    "FLOE-360": (Gap.ATTRIBUTES, Gap.PARTITIONS),
    "FLOE-381": (Gap.PARTITIONS,),
    "FLOE-382": (Gap.ATTRIBUTES,),
    "FLOE-385": (Gap.PARTITIONS,),
}


class Findings(ProblemCollector):
    """The problems found so far; none is noted that may be the consequence of another one.

    Those put `aside` keep nothing from being looked at and are raised with the others.
    """

    def __init__(self, problems: Iterable[Problem] = (), *, gaps: Collection[Gap] = ()) -> None:
        super().__init__(problems)
        self.aside = ProblemCollector()
        self.gaps = set(gaps)
        self.certain: set[str] = set()
        """YAML paths of entries that launch something whose partitions are known, whatever else it launches."""

    def add(self, problem: Problem) -> None:
        """Note *problem*, unless it may follow from what is not known."""
        if self._is_certain(problem) or not any(gap.may_cause(problem) for gap in self.gaps):
            super().add(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note those of *problems* that follow from nothing that is not known."""
        for problem in problems:
            self.add(problem)

    def raise_if_any(self, error_class: type[FloeError] = FloeError) -> None:
        """Raise everything, if there is an error among what is not put aside."""
        if self.errors:
            raise error_class(*self.problems, *self.aside.problems)

    def take_up(self) -> None:
        """Put nothing aside any more."""
        super().extend(self.aside.problems)
        self.aside = ProblemCollector()

    def _is_certain(self, problem: Problem) -> bool:
        if problem.location is None or problem.code not in _OF_KEYS or not self.gaps <= _GAPS_OF_OTHER_ASSETS:
            return False
        return any(problem.location.yaml_path.startswith(f"{entry}.") for entry in self.certain)


def gaps_left_by(errors: Iterable[Problem], document: FloeDocument) -> Iterator[Gap]:
    """What is not known of the assets of *document*, whose settings have *errors*."""
    patterns = {
        document.source.locate("orchestration", "assets", text, key=True): config
        for text, config in document.spec.orchestration.assets.items()
    }
    for error in errors:
        yield from _GAPS_OF_CODES.get(error.code, ())
        if error.location in patterns:
            yield from _decided_by(patterns[error.location])
        elif error.location is not None and ".automation_condition" in error.location.yaml_path:
            yield Gap.CONDITIONS


def _decided_by(config: AssetConfig) -> Iterator[Gap]:
    """What a pattern decides that sets nothing."""
    if config.partitions is not None:
        yield Gap.PARTITIONS
    if any(getattr(config, name) is not None for name in _ATTRIBUTES):
        yield Gap.ATTRIBUTES
    if config.automation_condition is not None:
        yield Gap.CONDITIONS
