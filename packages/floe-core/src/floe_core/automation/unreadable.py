"""What is wrong with the text of an automation condition, and at which character."""

from floe_core.names.rules import UnreadableTextError


class UnreadableConditionError(UnreadableTextError):
    """The text is no automation condition; the message goes on after the condition ("has no …")."""

    def __init__(self, message: str, *, offset: int, why: str = "", fix: str = "") -> None:
        super().__init__(message, code="FLOE-346", kind="automation condition", offset=offset, why=why, fix=fix)
