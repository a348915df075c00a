"""Bundles of requests (http://hl7.org/fhir/R4/http.html#transaction)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.engines.fhir import Issue, rest
from shoufu.engines.fhir.checking import Report
from shoufu.engines.fhir.rest import Answer, BatchEntry, SearchRefused, conditional, decide, matching
from shoufu.kernel.base.errors import Problem
from shoufu.kernel.base.ids import uuid7
from shoufu.scenes.homecare.fhir import interactions, searching
from shoufu.scenes.homecare.fhir.faults import Refused, of_problem, refused
from shoufu.scenes.homecare.fhir.interactions import Caller
from shoufu.scenes.homecare.fhir.kept import Kept, instant

MOST_ENTRIES = 1_000
_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\]\.resource\b")
_CONDITION = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)


def carried_out(caller: Caller, report: Report) -> dict[str, Any]:
    """The bundle that answers a batch (each entry for itself) or a transaction (all or nothing)."""
    bundle, own = _taken(report)
    entries = rest.batch(bundle)
    if len(entries) > MOST_ENTRIES:
        raise refused(413, _("A bundle has at most %(most)s entries.") % {"most": MOST_ENTRIES}, "Bundle.entry")
    if bundle["type"] == "transaction":
        return _transaction(caller, entries)
    answers = {}
    for entry in entries:
        answers[entry.place] = _alone(caller, entry, own.get(entry.place, ()))
    return rest.answered([answers[place] for place in sorted(answers)])


def _taken(report: Report) -> tuple[dict[str, Any], dict[int, list[Issue]]]:
    """The bundle, and for a batch what is wrong with the resource of each entry: the others go on."""
    from shoufu.scenes.homecare.fhir.http.answers import grave

    content = report.resource.content if report.resource is not None else report.content
    if not isinstance(content, dict) or content.get("resourceType") != "Bundle":
        if report.resource is None:
            raise grave(report, "Bundle")
        raise refused(400, _("This address takes a Bundle; send a resource to the address of its type."), "", "value")
    if content.get("type") not in ("batch", "transaction"):
        if report.resource is None:
            raise grave(report, "Bundle")
        said = _("This address carries out batches and transactions; keep other bundles at /Bundle.")
        raise refused(400, said, "Bundle.type", "value")
    own: dict[int, list[Issue]] = {}
    for issue in report.issues:
        found = _ENTRY.match(issue.expression)
        if issue.grave and (found is None or content["type"] == "transaction"):
            raise grave(report, "Bundle")
        if issue.grave and found is not None:
            own.setdefault(int(found[1]), []).append(issue)
    return content, own


def _alone(caller: Caller, entry: BatchEntry, wrong: Iterable[Issue]) -> Answer:
    """One entry of a batch; what it did is undone where it fails."""
    try:
        if listed := tuple(wrong):
            raise Refused(422, *listed)
        with transaction.atomic():
            return _carried(caller, entry)
    except Refused as error:
        return Answer(error.status, issues=error.issues)
    except Problem as problem:
        found = of_problem(problem)
        return Answer(found.status, issues=found.issues)


def _carried(caller: Caller, entry: BatchEntry, new_id: str = "") -> Answer:
    if entry.issue is not None:
        raise Refused(400, entry.issue)
    match entry.method:
        case "POST" if entry.resource is not None:
            done = interactions.create(caller, entry.type, entry.resource, entry.if_none_exist, new_id)
            return _written(caller, done.status, done.kept)
        case "PUT" if entry.resource is not None and entry.id is not None:
            done = interactions.update(caller, entry.type, entry.id, entry.resource, entry.if_match)
            return _written(caller, done.status, done.kept)
        case "DELETE" if entry.id is not None:
            interactions.delete(caller, entry.type, entry.id, entry.if_match)
            return Answer(204)
        case "GET" | "HEAD" if entry.id is not None:
            kept = interactions.get(caller, entry.type, entry.id)
            return replace(_written(caller, 200, kept), resource=kept.content, location=None)
        case "GET" | "HEAD":
            return _searched(caller, entry)
    said = _("%(method)s %(type)s is not done in a bundle here.")
    raise refused(405, said % {"method": entry.method, "type": entry.type}, f"Bundle.entry[{entry.place}].request.url")


def _written(caller: Caller, status: int, kept: Kept | None) -> Answer:
    if kept is None:
        return Answer(status)
    place = f"{caller.base}/{kept.address}/_history/{kept.version}"
    return Answer(status, place, f'W/"{kept.version}"', instant(kept.updated), kept.content)


def _searched(caller: Caller, entry: BatchEntry) -> Answer:
    found = interactions.search(caller, entry.type, entry.query)
    bundle = rest.result_bundle(
        caller.base,
        [one.content for one in found.page.matches],
        [one.content for one in found.page.included],
        total=found.page.total,
        links=[("self", f"{caller.base}/{entry.type}")],
        issues=found.told,
    )
    return Answer(200, resource=bundle)


@dataclass
class _Names:
    """What the references of a transaction mean once it is carried out: full URL or condition to "Type/id"."""

    known: dict[str, str] = field(default_factory=dict)
    conditional: dict[tuple[str, str], str] = field(default_factory=dict)

    def put(self, value: Any, base: str) -> Any:
        """A resource with its references as they are afterwards; `base` is the server of its own full URL."""
        match value:
            case dict():
                return {name: self._named(name, inner, base) for name, inner in value.items()}
            case list():
                return [self.put(inner, base) for inner in value]
            case _:
                return value

    def _named(self, name: str, inner: Any, base: str) -> Any:
        if name != "reference" or not isinstance(inner, str):
            return self.put(inner, base)
        return self.known.get(inner) or (base and self.known.get(f"{base}{inner}")) or inner


@transaction.atomic
def _transaction(caller: Caller, entries: Sequence[BatchEntry]) -> dict[str, Any]:
    names = _Names()
    ids: dict[int, str] = {}
    for entry in entries:
        if entry.issue is not None:
            raise Refused(400, entry.issue)
        if entry.method == "POST":
            ids[entry.place] = _identity(caller, entry, names)
        own = ids.get(entry.place, entry.id or "")
        if entry.full_url and own and entry.method in ("POST", "PUT"):
            names.known[entry.full_url] = f"{entry.type}/{own}"
    for entry in entries:
        _conditions(caller, entry, entry.resource, names)
    answers = {}
    for entry in entries:
        try:
            answers[entry.place] = _carried(caller, _renamed(entry, names), ids.get(entry.place, ""))
        except Refused as error:
            raise _placed(entry, error) from error
        except Problem as problem:
            raise _placed(entry, of_problem(problem)) from problem
    return rest.answered([answers[place] for place in sorted(answers)], transaction=True)


def _renamed(entry: BatchEntry, names: _Names) -> BatchEntry:
    if entry.resource is None:
        return entry
    own = matching.target(entry.full_url) if entry.full_url else None
    return replace(entry, resource=names.put(entry.resource, (own.url or "") if own is not None else ""))


def _identity(caller: Caller, entry: BatchEntry, names: _Names) -> str:
    """The id that a create will have: that of the one which meets its condition, or a new one."""
    if entry.if_none_exist is None:
        return str(uuid7())
    key = (entry.type, entry.if_none_exist)
    if key not in names.conditional:
        interactions.known(entry.type)
        found = interactions.existing(caller, *key)
        names.conditional[key] = found.id if found is not None else str(uuid7())
    return names.conditional[key]


def _placed(entry: BatchEntry, error: Refused) -> Refused:
    """The refusal of an entry as one of the whole bundle: where it happened stands in the expressions."""
    path = f"Bundle.entry[{entry.place}]"
    issues = [one if one.expression.startswith("Bundle.") else replace(one, expression=path) for one in error.issues]
    return Refused(error.status, *issues)


def _conditions(caller: Caller, entry: BatchEntry, value: Any, names: _Names) -> None:
    """Look up the conditional references of a resource (`Patient?identifier=…`): one match, or the whole is refused."""
    if isinstance(value, list):
        for inner in value:
            _conditions(caller, entry, inner, names)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        found = _CONDITION.fullmatch(inner) if name == "reference" and isinstance(inner, str) else None
        if found is None or inner in names.known:
            _conditions(caller, entry, inner, names)
            continue
        names.known[inner] = _only_one(caller, entry, found[1], inner)


def _only_one(caller: Caller, entry: BatchEntry, kind: str, reference: str) -> str:
    where = f"Bundle.entry[{entry.place}].resource"
    try:
        wanted = conditional.condition(kind, reference)
    except SearchRefused as error:
        raise Refused(400, *(replace(one, expression=where) for one in error.issues)) from error
    page = searching.search(caller.actor, searching.only_ids(wanted), caller.opened, 0, 2)
    decision = decide([one.id for one in page.matches])
    if decision.existing is None:
        said = _("“%(reference)s” must mean exactly one resource here.")
        raise refused(412, said % {"reference": reference[:200]}, where, "not-found")
    return f"{kind}/{decision.existing}"
