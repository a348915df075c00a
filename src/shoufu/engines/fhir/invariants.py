"""Try the invariants of R4 (their FHIRPath) on what a walk has gathered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import fhirpath
from .definitions import Constraint, Model
from .issues import Issue, Severity
from .walk import Pending

_SEVERITIES = {"error": Severity.ERROR, "warning": Severity.WARNING}


def broken(model: Model, pending: Iterable[Pending]) -> Iterator[Issue]:
    """An issue for each invariant that does not hold; advice (severity warning) stays a warning."""
    for one in pending:
        resource, root = fhirpath.resource(one.resource), fhirpath.resource(one.around.root)
        this = [fhirpath.Node(one.value, one.type, one.extra)]
        scope = fhirpath.Scope(model, resource, root, this, resolve=one.around.resolve)
        for number in one.constraints:
            issue = _tried(model.constraints[number], scope, one.path)
            if issue is not None:
                yield issue


def _tried(constraint: Constraint, scope: fhirpath.Scope, path: str) -> Issue | None:
    try:
        found = fhirpath.holds(constraint.expression, scope)
    except fhirpath.FhirPathError as error:
        return Issue(path, f"{constraint.key} could not be tried: {error}", "processing", Severity.WARNING)
    # An error must be seen to hold: of times that cannot be ordered, none is before the other. Advice need not.
    if found or (found is None and constraint.severity == "warning"):
        return None
    return Issue(path, f"{constraint.human} ({constraint.key})", "invariant", _SEVERITIES[constraint.severity])
