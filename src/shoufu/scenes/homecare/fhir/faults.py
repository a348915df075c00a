"""What is answered instead: an HTTP status and the issues of an OperationOutcome."""

from shoufu.engines.fhir import Issue
from shoufu.kernel.base.errors import Problem

_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    410: "deleted",
    412: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "processing",
}


class Refused(Exception):
    """A request that is not done; nothing of it was kept."""

    def __init__(self, status: int, *issues: Issue) -> None:
        super().__init__("; ".join(issue.message for issue in issues))
        self.status = status
        self.issues = issues


def refused(status: int, message: str, expression: str = "", code: str = "") -> Refused:
    """A refusal with one issue."""
    return Refused(status, Issue(expression, message, code or _CODES.get(status, "processing")))


def of_problem(problem: Problem) -> Refused:
    """A refusal of a service or selector as one of this interface."""
    code = _CODES.get(problem.status, "processing")
    if problem.errors:
        return Refused(problem.status, *(Issue(one.field.strip("/"), str(one.message), code) for one in problem.errors))
    return refused(problem.status, str(problem.detail or problem.title))
