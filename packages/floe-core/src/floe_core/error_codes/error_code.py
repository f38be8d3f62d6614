"""What is known of a code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """What a code stands for, with an example: in a document, in Python, in SQL or in a shell."""

    title: str
    explanation: str
    wrong: str
    """Something that gets the code."""
    right: str
    """The same put right."""
