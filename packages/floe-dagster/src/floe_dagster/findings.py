"""What is wrong with a project, collected over the stages of loading it."""

from collections.abc import Iterable

from floe_core.errors import FloeError, Problem, ProblemCollector


class Findings(ProblemCollector):
    """The problems found so far; those put `aside` keep nothing from being looked at and are raised with the others."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        super().__init__(problems)
        self.aside = ProblemCollector()

    def raise_if_any(self, error_class: type[FloeError] = FloeError) -> None:
        """Raise everything, if there is an error among what is not put aside."""
        if self.errors:
            raise error_class(*self.problems, *self.aside.problems)

    def take_up(self) -> None:
        """Put nothing aside any more."""
        self.extend(self.aside.problems)
        self.aside = ProblemCollector()
