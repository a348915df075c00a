"""What can be done with resources, whoever asks: by HTTP or inside a bundle (http://hl7.org/fhir/R4/http.html)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.engines.fhir import Issue
from shoufu.engines.fhir.rest import Search, SearchRefused, conditional, decide, read, told
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Forbidden
from shoufu.scenes.homecare.fhir import kinds, searching, selectors, services
from shoufu.scenes.homecare.fhir.faults import Refused, refused
from shoufu.scenes.homecare.fhir.kept import Kept
from shoufu.scenes.homecare.fhir.models import Stored, StoredVersion
from shoufu.scenes.homecare.fhir.opened import Opened
from shoufu.scenes.homecare.fhir.searching import Page
from shoufu.scenes.homecare.fhir.sources import Store

OWN_RESULT = frozenset({"_page", "_reason"})


@dataclass(frozen=True)
class Caller:
    """Who asks, why (the people concerned can read it), the server's address; `strict` refuses what is unknown.

    `opened` is what the request opened so far. It is recorded when the request ends (`services.looked`), in a
    transaction of its own, so that a refusal takes no look back.
    """

    actor: Actor
    base: str
    reason: str
    strict: bool = False
    opened: Opened = field(default_factory=Opened)


@dataclass(frozen=True)
class Done:
    """A resource and the status that says what was done with it."""

    status: int
    kept: Kept | None = None
    issues: tuple[Issue, ...] = ()


def needs(caller: Caller, permission: str) -> None:
    """Refuse whoever has the right nowhere."""
    if not caller.actor.may_anywhere(permission):
        raise Forbidden(_("You need the right “%(right)s”.") % {"right": permission})


def known(kind: str) -> None:
    """Refuse a type that this server does not serve."""
    if kind not in kinds.TYPES:
        said = _("%(kind)s is not served here: see metadata for what is.")
        raise refused(404, said % {"kind": kind[:64]}, code="not-supported")


@transaction.atomic
def get(caller: Caller, kind: str, logical_id: str) -> Kept:
    """One resource; 410 for one that was deleted."""
    needs(caller, selectors.READ)
    known(kind)
    found = searching.get(caller.actor, kind, logical_id)
    if found is None:
        gone = selectors.stored(caller.actor).filter(type=kind, logical_id=logical_id)
        if gone.exists():
            raise refused(410, _("%(what)s/%(id)s was deleted.") % {"what": kind, "id": logical_id})
        raise _missing(kind, logical_id)
    caller.opened.show([found])
    return found


def _missing(kind: str, logical_id: str) -> Refused:
    return refused(404, _("There is no %(what)s/%(id)s that you may see.") % {"what": kind, "id": logical_id[:64]})


@dataclass(frozen=True)
class Version:
    """One version in a history; `kept` is None where the resource was deleted then."""

    number: str
    kept: Kept | None
    method: str
    at: Any


@transaction.atomic
def versions(caller: Caller, kind: str, logical_id: str) -> list[Version]:
    """All versions of a resource, the newest first; what the scene keeps itself has its present one."""
    needs(caller, selectors.READ)
    known(kind)
    row = selectors.stored(caller.actor).filter(type=kind, logical_id=logical_id).first()
    if row is None:
        found = get(caller, kind, logical_id)
        return [Version(found.version, found, "PUT", found.updated)]
    found_rows = [_version(row, one) for one in (None, *row.versions.order_by("-number"))]
    # One look at each person whom it was about: an earlier version may have been about somebody else.
    caller.opened.show(list({one.kept.person: one.kept for one in found_rows if one.kept is not None}.values()))
    return found_rows


def _version(row: Stored, one: StoredVersion | None) -> Version:
    number, at, content = (
        (row.version, row.updated_at, row.content) if one is None else (one.number, one.at, one.content)
    )
    if not content:
        return Version(str(number), None, "DELETE", at)
    shown = row if one is None else _as_then(row, one)
    return Version(str(number), next(Store.made([shown])), "POST" if number == 1 else "PUT", at)


def _as_then(row: Stored, one: StoredVersion) -> Stored:
    return Stored(
        pk=row.pk,
        type=row.type,
        logical_id=row.logical_id,
        version=one.number,
        content=one.content,
        key_of=one.key_of,
        updated_at=one.at,
        person_id=one.key_of if one.key_of > 0 else None,
        place_id=row.place_id,
    )


def version(caller: Caller, kind: str, logical_id: str, number: str) -> Kept:
    """One version of a resource; 410 where it says that the resource was deleted."""
    for one in versions(caller, kind, logical_id):
        if one.number == number:
            if one.kept is None:
                raise refused(410, _("%(what)s/%(id)s was deleted.") % {"what": kind, "id": logical_id})
            return one.kept
    said = _("%(what)s/%(id)s has no version %(number)s.")
    raise refused(404, said % {"what": kind, "id": logical_id[:64], "number": number[:20]})


@transaction.atomic
def create(caller: Caller, kind: str, content: dict[str, Any], condition: str | None = None, new_id: str = "") -> Done:
    """Keep a checked resource (201); with a condition give back the one that meets it already (200) instead."""
    needs(caller, selectors.WRITE)
    known(kind)
    _same_type(kind, content)
    if condition is not None:
        found = existing(caller, kind, condition)
        if found is not None:
            return Done(200, found)
    return Done(201, services.create(caller.actor, content, caller.base, new_id))


def _same_type(kind: str, content: dict[str, Any]) -> None:
    if content.get("resourceType") != kind:
        said = _("This address takes %(kind)s, and the resource is of type %(sent)s.")
        sent = str(content.get("resourceType"))[:64]
        raise refused(400, said % {"kind": kind, "sent": sent}, sent, "value")


def existing(caller: Caller, kind: str, condition: str) -> Kept | None:
    """The one resource that meets a condition of creation; until the transaction ends no other is made on it."""
    needs(caller, selectors.READ)
    try:
        wanted = conditional.condition(kind, condition)
    except SearchRefused as error:
        raise Refused(400, *error.issues) from error
    services.one_at_a_time(kind, condition)
    found = searching.search(caller.actor, searching.only_ids(wanted), caller.opened, 0, 2)
    decision = decide([one.id for one in found.matches])
    if decision.issue is not None:
        raise Refused(decision.status, decision.issue)
    if decision.existing is None:
        return None
    return found.matches[0]


def update(caller: Caller, kind: str, logical_id: str, content: dict[str, Any], if_match: str | None) -> Done:
    """The next version of a stored resource."""
    needs(caller, selectors.WRITE)
    known(kind)
    _same_type(kind, content)
    if content.get("id") != logical_id:
        said = _("The id in the resource must be the one in the address, %(id)s.")
        raise refused(400, said % {"id": logical_id[:64]}, f"{kind}.id", "value")
    return Done(200, services.update(caller.actor, kind, logical_id, content, caller.base, if_match))


def delete(caller: Caller, kind: str, logical_id: str, if_match: str | None) -> Done:
    """Delete a stored resource."""
    needs(caller, selectors.WRITE)
    known(kind)
    services.delete(caller.actor, kind, logical_id, if_match)
    return Done(204)


@dataclass(frozen=True)
class Found:
    """The answer to a search: the page, and how it was asked for."""

    page: Page
    search: Search
    count: int
    number: int
    told: tuple[Issue, ...] = ()


@transaction.atomic
def search(caller: Caller, kind: str, pairs: Iterable[tuple[str, str]]) -> Found:
    """A page of resources of a type."""
    needs(caller, selectors.READ)
    known(kind)
    listed = list(pairs)
    try:
        wanted = read(kind, [pair for pair in listed if pair[0] not in OWN_RESULT], strict=caller.strict)
    except SearchRefused as error:
        raise Refused(400, *error.issues) from error
    wanted = _only_served(wanted, caller.strict)
    number = _page(next((text for name, text in listed if name == "_page"), "1"))
    count = searching.COUNT if wanted.count is None else min(wanted.count, searching.MOST)
    if wanted.result.get("_summary") == "count":
        count = 0
    page = searching.search(caller.actor, wanted, caller.opened, (number - 1) * count, count)
    return Found(page, wanted, count, number, told(wanted))


def _only_served(wanted: Search, strict: bool) -> Search:
    """Without the criteria that R4 defines and this server does not answer; they are told as ignored."""
    names = kinds.searches(wanted.type)
    unknown = tuple(one.parameter.code for one in wanted.criteria if one.parameter.code not in names)
    if not unknown:
        return wanted
    if strict:
        said = _("%(name)s is not answered here.")
        raise Refused(400, *(Issue(name, said % {"name": name}, "not-supported") for name in unknown))
    criteria = tuple(one for one in wanted.criteria if one.parameter.code in names)
    return replace(wanted, criteria=criteria, ignored=(*wanted.ignored, *unknown))


def _page(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 100_000:
        raise refused(400, _("_page is a number from 1."), "_page", "value")
    return int(text)
