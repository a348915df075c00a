from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.base.memory import keep, once
from shoufu.kernel.parties.models import Consent, Person
from shoufu.kernel.privacy import acts, declarations
from shoufu.kernel.privacy.declarations import Purpose
from shoufu.kernel.privacy.models import DataRequest, Delegation, Export, LegalHold, Secrecy, Tombstone

OWN = "own.view"
MANAGE = "privacy.manage"
LOOK = ("look", "search", "export", "view")
MOST_LOOKS = 500


def myself(actor: Actor) -> Person | None:
    """The person behind the actor's account; None for staff without a row, programs and the system. Asked once in a
    request."""
    if actor.kind != "user":
        return None
    rows = Person.objects.select_related("place").filter(user__pk=int(actor.id), erased_at__isnull=True)
    return once(_myself(actor), rows.first)


def _myself(actor: Actor) -> tuple[str, str]:
    return "privacy.myself", actor.id


def _in_force(now: datetime | None = None) -> Q:
    moment = now or timezone.now()
    begun = Q(since__lte=moment, withdrawn_at__isnull=True)
    return begun & (Q(until__isnull=True) | Q(until__gt=moment))


def delegations(actor: Actor, *, ended: bool = False) -> QuerySet[Delegation]:
    """Who may act for the actor, and for whom the actor may act; those that ended only when asked for."""
    me = myself(actor)
    rows = Delegation.objects.select_related("person", "delegate")
    if me is None:
        return rows.none()
    rows = rows.filter(Q(person=me) | Q(delegate=me))
    return rows if ended else rows.filter(_in_force())


def may_act_for(actor: Actor, person_id: int, scope: str) -> bool:
    """Whether the actor may do this for the person: as the person, or within what the person granted, now."""
    if actor.kind != "user":
        return False
    if Person.objects.filter(pk=person_id, user__pk=int(actor.id), erased_at__isnull=True).exists():
        return True
    return Delegation.objects.filter(
        _in_force(),
        person=person_id,
        person__erased_at__isnull=True,
        delegate__user__pk=int(actor.id),
        delegate__erased_at__isnull=True,
        scopes__contains=[scope],
    ).exists()


def acts_for(actor: Actor, scope: str) -> list[Person]:
    """The people for whom the actor may do this: oneself first, then whoever granted it. Asked once in a request."""
    return list(once(("privacy.acts_for", actor.kind, actor.id, scope), lambda: _acts_for(actor, scope)))


def _acts_for(actor: Actor, scope: str) -> list[Person]:
    if actor.kind != "user":
        return []
    account = User.objects.filter(pk=int(actor.id))
    granted = Delegation.objects.filter(
        _in_force(), delegate__in=account.values("person"), delegate__erased_at__isnull=True, scopes__contains=[scope]
    )
    known = Q(pk__in=account.values("person")) | Q(pk__in=granted.values("person"))
    rows = Person.objects.select_related("place").filter(known, erased_at__isnull=True)
    rows = rows.annotate(me=Exists(account.filter(person=OuterRef("pk"))))
    found: list[Person] = list(rows.order_by("-me", "name", "pk"))
    if not found or not found[0].me:  # type: ignore[attr-defined]
        return []
    keep(_myself(actor), found[0])
    return found


def subject(actor: Actor, person_id: int | None, scope: str) -> Person:
    """The person whom the actor's page is about: oneself, or one who granted `scope`; NotFound otherwise."""
    if person_id is None:
        me = myself(actor)
        if me is None:
            raise NotFound(_("Only residents and staff with data here can see their own data."))
        return me
    if not may_act_for(actor, person_id, scope):
        raise NotFound(_("There is no person %(id)s for whom you may do this.") % {"id": person_id})
    return Person.objects.select_related("place").get(pk=person_id)


@dataclass(frozen=True)
class Look:
    """One line of "who looked at my data": the role and office rather than a name; `late`: kept back by law."""

    id: int
    at: datetime
    who: str
    office: str
    what: str
    kind: str
    reason: str
    mine: bool
    late: bool
    objected: bool


def looks(actor: Actor, person_id: int | None = None, *, most: int = MOST_LOOKS) -> list[Look]:
    """Who looked at or changed the data of oneself (or of a person who granted "looks.view"), newest first.

    Lines that a law keeps back are left out until their end, and marked afterwards. A constant number of queries.
    """
    person = subject(actor, person_id, "looks.view")
    now = timezone.now()
    spans = list(Secrecy.objects.filter(person=person).values_list("since", "until"))
    rows = AuditEntry.objects.filter(subject=person.pk)
    for since, until in spans:
        if until > now:
            rows = rows.exclude(at__gte=since, at__lt=until, actor_kind="user")
    entries = list(rows.order_by("-at", "-id")[:most])
    offices = _offices({int(e.actor_id) for e in entries if e.actor_kind == "user" and e.actor_id.isdigit()})
    own = set(User.objects.filter(person=person).values_list("pk", flat=True))
    objected = set(
        DataRequest.objects.filter(person=person, kind=DataRequest.Kind.OBJECTION).values_list("entry", flat=True)
    )
    return [_look(entry, offices, own, spans, objected) for entry in entries]


def _look(
    entry: AuditEntry,
    offices: dict[int, tuple[str, str]],
    own: set[int],
    spans: list[tuple[datetime, datetime]],
    objected: set[int | None],
) -> Look:
    user = int(entry.actor_id) if entry.actor_kind == "user" and entry.actor_id.isdigit() else 0
    who, office = offices.get(user, (_system(entry), ""))
    verb = entry.action.rpartition(".")[2]
    late = entry.actor_kind == "user" and any(since <= entry.at < until for since, until in spans)
    return Look(
        id=entry.pk,
        at=entry.at,
        who=_("You") if user in own else who,
        office="" if user in own else office,
        what=acts.name(entry.action),
        kind="look" if verb.startswith(LOOK) else "change",
        reason=entry.reason,
        mine=user in own,
        late=late,
        objected=entry.pk in objected,
    )


def _system(entry: AuditEntry) -> str:
    return {"device": _("A device"), "system": _("The system")}.get(entry.actor_kind, _("A former account"))


def _offices(users: set[int]) -> dict[int, tuple[str, str]]:
    """User → role and office in the reader's language: names of staff are not shown to those whom they serve."""
    roles = registry.roles()
    english = (get_language() or "").startswith("en")
    found: dict[int, tuple[str, str]] = {}
    rows = RoleAssignment.objects.filter(user__in=users).select_related("organisation", "place").order_by("-since")
    for row in rows:
        role = roles.get(row.role)
        if role is None or row.user_id in found:
            continue
        office = row.organisation or row.place
        shown = (office.name_en or office.name) if english else office.name
        found[row.user_id] = (role.name_en if english else role.name, shown)
    return found


@dataclass(frozen=True)
class Allowed:
    """A purpose and whether the person allows it now; `since` when they said so, `ended` when they last withdrew."""

    purpose: Purpose
    consent: Consent | None
    ended: datetime | None

    @property
    def given(self) -> bool:
        return self.consent is not None


def consents(actor: Actor, person_id: int | None = None) -> list[Allowed]:
    """Every purpose on the list, with what the person (oneself, or one who granted "data.view") said; two queries."""
    person = subject(actor, person_id, "data.view")
    rows = Consent.objects.filter(person=person).order_by("given_at")
    now: dict[str, Consent] = {}
    ended: dict[str, datetime] = {}
    for row in rows:
        if row.withdrawn_at is None:
            now[row.purpose] = row
        else:
            ended[row.purpose] = row.withdrawn_at
    known = declarations.purposes()
    return [Allowed(purpose, now.get(code), ended.get(code)) for code, purpose in known.items()]


def own_requests(actor: Actor, person_id: int | None = None) -> QuerySet[DataRequest]:
    """What the person asked, newest first."""
    return DataRequest.objects.filter(person=subject(actor, person_id, "requests.make")).order_by("-asked_at")


def requests(actor: Actor, path: str = "/") -> QuerySet[DataRequest]:
    """What people of the actor's places ask, the most urgent first."""
    rows = DataRequest.objects.select_related("person", "place", "answered_by").filter(place__path__startswith=path)
    return policy.limit(rows, actor, MANAGE).order_by("due_at", "id")


def get_request(actor: Actor, request_id: int) -> DataRequest:
    """One request in the actor's places; NotFound otherwise."""
    found = requests(actor).filter(pk=request_id).first()
    if found is None:
        raise NotFound(_("There is no request %(id)s that you may see.") % {"id": request_id})
    return found


def exports(actor: Actor, person_id: int | None = None) -> QuerySet[Export]:
    """Copies of everything held on the person, newest first; those that expired are gone."""
    person = subject(actor, person_id, "data.view")
    return Export.objects.filter(person=person, expires_at__gt=timezone.now())


def tombstones(actor: Actor) -> QuerySet[Tombstone]:
    """Erasures in the actor's places, newest first."""
    rows = Tombstone.objects.order_by("-erased_at")
    if actor.is_system:
        return rows
    from shoufu.kernel.places.models import Place

    places = policy.limit(Place.objects.all(), actor, MANAGE, "path")
    return rows.filter(place__in=places.values("pk"))


def holds(actor: Actor) -> QuerySet[LegalHold]:
    """Legal holds in force on cases of the actor's places."""
    rows = LegalHold.objects.select_related("case__place").filter(released_at__isnull=True, until__gt=timezone.now())
    return policy.limit(rows, actor, MANAGE, "case__place__path").order_by("until")


def held_cases(case_ids: Iterable[int]) -> dict[int, LegalHold]:
    """Of these cases, the ones under a hold now."""
    rows = LegalHold.objects.filter(case__in=list(case_ids), released_at__isnull=True, until__gt=timezone.now())
    return {row.case_id: row for row in rows}
