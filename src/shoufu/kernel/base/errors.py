from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field (a JSON pointer or form name): `message` says what is wrong and what to do."""

    field: str
    message: str


@dataclass
class Problem(Exception):
    """A refusal that a person can act on: RFC 9457 problem+json over HTTP, a sentence on the command line."""

    title: str
    detail: str = ""
    status: int = 400
    kind: str = "problem"
    errors: tuple[FieldError, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.title}: {self.detail}" if self.detail else self.title]
        lines += [f"{error.field}: {error.message}" for error in self.errors]
        return "; ".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The body of `application/problem+json` (RFC 9457)."""
        body: dict[str, Any] = {
            "type": f"urn:shoufu:{self.kind}",
            "title": str(self.title),
            "status": self.status,
        }
        if self.detail:
            body["detail"] = str(self.detail)
        if self.errors:
            body["errors"] = [{"field": error.field, "message": str(error.message)} for error in self.errors]
        return body | self.extra


class Invalid(Problem):
    """Input that cannot be taken: names every field and its fix (422)."""

    def __init__(self, *errors: FieldError, title: str = "The input has errors", detail: str = "") -> None:
        super().__init__(title=title, detail=detail, status=422, kind="invalid", errors=errors)

    @classmethod
    def one(cls, field_name: str, message: str) -> "Invalid":
        return cls(FieldError(field_name, message))


class Forbidden(Problem):
    """The actor lacks a right here (403)."""

    def __init__(self, detail: str) -> None:
        super().__init__(title="Not allowed", detail=detail, status=403, kind="forbidden")


class NotFound(Problem):
    """Not there, or not visible to this actor: both look the same (404)."""

    def __init__(self, detail: str) -> None:
        super().__init__(title="Not found", detail=detail, status=404, kind="not-found")


class Conflict(Problem):
    """Somebody else was first; nothing was changed (409)."""

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(title="Changed meanwhile", detail=detail, status=409, kind="conflict", extra=extra)
