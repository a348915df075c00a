"""Search over all sources of a type: paged, sorted, with what is included."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from shoufu.engines.fhir import answers
from shoufu.engines.fhir.rest import Include, Search, matching
from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.engines.fhir.rest.values import Pointer
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.fhir import kinds, selectors, sources
from shoufu.scenes.homecare.fhir.faults import refused
from shoufu.scenes.homecare.fhir.kept import Kept
from shoufu.scenes.homecare.fhir.opened import Opened

COUNT, MOST, MOST_INCLUDED = 50, 500, 1_000


@dataclass(frozen=True)
class Page:
    """One page of matches, how many there are in all, and what is included with them."""

    matches: Sequence[Kept]
    total: int
    included: Sequence[Kept] = ()


def get(actor: Actor, kind: str, logical_id: str) -> Kept | None:
    """One resource that the actor may see."""
    for source in sources.of(kind):
        found = source.get(actor, logical_id)
        if found is not None:
            return found
    return None


def search(actor: Actor, wanted: Search, opened: Opened, offset: int = 0, count: int = COUNT) -> Page:
    """A page of what meets a search; a search that must open too much is refused and says how to narrow it.

    `opened` takes account of all that was opened for it, also of what is only counted.
    """
    opened.begin()
    plans = [source.plan(actor, wanted) for source in sources.of(wanted.type)]
    if all(plan.exact for plan in plans) and not wanted.sort:
        matches, total = _counted(plans, offset, count)
    else:
        found = list(_tried(plans, wanted, opened))
        for parameter, descending in reversed(wanted.sort):
            found = _sorted(found, parameter, descending)
        matches, total = found[offset : offset + count], len(found)
    included = _included(actor, wanted, matches, opened)
    opened.show((*matches, *included))
    return Page(matches, total, included)


def every(actor: Actor, wanted: Search, opened: Opened | None = None) -> Iterator[Kept]:
    """All matches, a chunk at a time; however many without `opened`, for what takes its own account (exports)."""
    for source in sources.of(wanted.type):
        plan = source.plan(actor, wanted)
        for chunk in plan.chunks():
            if opened is not None:
                opened.open(chunk)
            yield from (one for one in chunk if plan.exact or matching.fits(one.content, wanted))


def questionnaire(actor: Actor, canonical: str, opened: Opened) -> dict[str, Any] | None:
    """The questionnaire of a canonical that the actor may read, the last one put here where there are several."""
    url = canonical.partition("#")[0].partition("|")[0]
    parameter = kinds.searches("Questionnaire")["url"]
    if not url or not actor.may_anywhere(selectors.READ):
        return None
    found = every(actor, Search("Questionnaire", (Criterion(parameter, (url,)),)), opened)
    return answers.named(reversed([one.content for one in found]), canonical)


def _counted(plans: Sequence[sources.Plan], offset: int, count: int) -> tuple[list[Kept], int]:
    """By the counts of SQL, opening only what is on the page."""
    found: list[Kept] = []
    total = 0
    for plan in plans:
        here = plan.rows.count()
        first = max(offset - total, 0)
        last = min(offset + count - total, here)
        if first < last:
            found += plan.made(list(plan.rows[first:last]))
        total += here
    return found, total


def _tried(plans: Iterable[sources.Plan], wanted: Search, opened: Opened) -> Iterator[Kept]:
    for plan in plans:
        for chunk in plan.chunks():
            opened.open(chunk)
            yield from (one for one in chunk if matching.fits(one.content, wanted))


def _sorted(found: list[Kept], parameter: Any, descending: bool) -> list[Kept]:
    """Those without a value come last, whichever way."""
    keyed = [(_key(one, parameter), one) for one in found]
    valued = sorted((row for row in keyed if row[0] is not None), key=lambda row: row[0], reverse=descending)
    return [one for _value, one in valued] + [one for value, one in keyed if value is None]


def _key(one: Kept, parameter: Any) -> Any:
    for node in matching.found(one.content, parameter):
        key = matching.order(node.value)
        if key is not None:
            return (1, key, "") if isinstance(key, int | Decimal) else (0, 0, str(key))
    return None


def _included(actor: Actor, wanted: Search, matches: Sequence[Kept], opened: Opened) -> list[Kept]:
    seen = {one.address for one in matches}
    found: list[Kept] = []
    for include in wanted.includes:
        pointing = _pointing if include.reverse else _pointed
        for one in pointing(actor, include, matches, opened):
            if one.address in seen:
                continue
            seen.add(one.address)
            found.append(one)
            if len(found) > MOST_INCLUDED:
                said = _("More than %(most)s resources would be included: ask for fewer with _count.")
                raise refused(422, said % {"most": MOST_INCLUDED}, code="too-costly")
    return found


def _pointed(actor: Actor, include: Include, matches: Sequence[Kept], opened: Opened) -> Iterator[Kept]:
    seen = {one.address for one in matches}
    for one in matches:
        for pointer in matching.pointers(one.content, include.parameter):
            if include.target not in (None, pointer.type) or pointer.type not in kinds.TYPES:
                continue
            address = f"{pointer.type}/{pointer.id}"
            if address in seen:
                continue
            seen.add(address)
            target = get(actor, str(pointer.type), pointer.id)
            if target is not None:
                opened.open([target])
                yield target


def _pointing(actor: Actor, include: Include, matches: Sequence[Kept], opened: Opened) -> Iterator[Kept]:
    if include.type not in kinds.TYPES or not matches:
        return
    targets = tuple(Pointer(one.type, one.id) for one in matches)
    yield from every(actor, Search(include.type, (Criterion(include.parameter, targets),)), opened)


def only_ids(wanted: Search) -> Search:
    """The search without what it asks to come along, for conditions."""
    return replace(wanted, includes=(), sort=())
