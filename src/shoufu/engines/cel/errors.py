"""What can go wrong: in the text, in its types, or while it is evaluated."""

from __future__ import annotations


class CelError(Exception):
    """Any error of the CEL engine.

    `message` names the cause and, where there is one, the fix; `position` is the offset into the text
    in code points, or None where the error has no place in the text.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.position = position

    def __str__(self) -> str:
        return self.message if self.position is None else f"{self.message} (at character {self.position + 1})"

    def locate(self, text: str) -> tuple[int, int]:
        """Line and column of the error in `text`, both counted from 1."""
        before = text[: self.position or 0]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


class CelSyntaxError(CelError):
    """The text is not a CEL expression."""


class CelTypeError(CelError):
    """The expression cannot work with the declared variables and functions."""


class CelEvaluationError(CelError):
    """The expression has no value for these variables: a missing field, a division by zero, an overflow, …"""


class Unsupported(CelError):
    """The vector form lacks something the expression uses; evaluate it row by row instead."""
