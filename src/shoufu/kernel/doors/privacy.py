"""What doors hold about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.doors.models import Credential, Technology
from shoufu.kernel.doors.services.credential_states import apply_state
from shoufu.kernel.doors.services.credentials import FACE_CONSENT
from shoufu.kernel.doors.services.people import end_rights
from shoufu.kernel.parties.models import Person
from shoufu.kernel.privacy.declarations import (
    Erase,
    Holding,
    Hooks,
    NotPersonal,
    Receipt,
    Retention,
    Subject,
)

OPENING = ("opening the doors of the places where somebody lives, works or visits", "开启居住、工作或来访处的门")
VISITS = ("letting in the people whom a resident or the property office expects", "让居民或物业等候的人进门")
PASSING = ("safety of the compound: who passed which door, when", "小区安全：何人何时经过何门")

holdings = (
    Holding(
        "doors.passage",
        lambda s: Q(credential__person=s.person) | Q(credential__admission__host=s.person),
        *PASSING,
        90,
        export=lambda row: {"door": row.point.name, "at": row.at, "granted": row.granted, "by": row.technology},
        title="When I passed a door",
        title_zh="我的通行记录",
    ),
    Holding("doors.assignment", lambda s: Q(person=s.person) | Q(credential__person=s.person), *OPENING, 90),
    Holding(
        "doors.pass",
        lambda s: Q(host=s.person),
        *VISITS,
        90,
        export=("purpose", "issued_at", "maximum", "uses"),
        title="Passes that I gave",
        title_zh="我发出的通行码",
    ),
    Holding(
        "doors.credential",
        lambda s: Q(person=s.person) | Q(admission__host=s.person),
        *OPENING,
        90,
        export=("technology", "label", "valid_from", "valid_until", "state"),
        title="My cards and phones",
        title_zh="我的门卡和手机",
    ),
    Holding(
        "doors.receipt",
        lambda s: Q(person=s.person),
        "proof that a door no longer knows somebody",
        "证明某门已不再认识某人",
        1095,
        erase=Erase.KEEP,
        why="the proof that doors forgot the person; it names a number and a controller only",
    ),
    Holding(
        "doors.ruleset",
        lambda s: None,
        "deciding at the door who may pass, without the network",
        "断网时由门自行判断谁可通行",
        30,
        erase=Erase.KEEP,
        why="keyed hashes of credentials without names; the next rule set no longer has the person's",
    ),
)

not_personal = (
    NotPersonal("doors.lockdown", "who ordered a lock-down, as staff"),
    NotPersonal("doors.openrequest", "who opened a door from afar, as staff"),
    NotPersonal("doors.firerelease", "who reset a door after a fire release, as staff"),
    NotPersonal("doors.accesspoint", "a door"),
    NotPersonal("doors.accesslevel", "a set of doors"),
    NotPersonal("doors.schedule", "times"),
    NotPersonal("doors.specialday", "a public holiday"),
    NotPersonal("doors.controller", "a device"),
    NotPersonal("doors.reader", "a device"),
    NotPersonal("doors.doorstate", "the state of a door"),
)

retentions = (
    Retention(
        "shoufu.kernel.doors.tasks.purge",
        "Passages of 90 days ago, credentials and passes ended so long, old rule sets",
        "90 天前的通行记录、失效满 90 天的凭证和通行码、旧规则集",
    ),
)


def _withdrawn(actor: Actor, person_id: int, purpose: str) -> Iterable[Receipt]:
    """No consent, no face: every door forgets it."""
    if purpose != FACE_CONSENT:
        return []
    rows = Credential.objects.select_for_update(of=("self",)).select_related("place")
    faces = rows.filter(person=person_id, technology=Technology.FACE).exclude(state=Credential.State.REVOKED)
    listed = list(faces.order_by("pk"))
    done = apply_state(actor, listed, Credential.State.REVOKED, _("consent withdrawn"))
    Credential.objects.filter(pk__in=[row.pk for row in listed]).update(secret=None, lookup=None)
    return [Receipt(row.controller.device.name, _("face"), row.done_at is not None) for row in done]


def _ended(actor: Actor, subject: Subject, reason: str) -> Iterable[Receipt]:
    person = Person.objects.select_related("place").get(pk=subject.person)
    done = end_rights(actor, person, reason, erase=True)
    return [Receipt(row.controller.device.name, _("credential"), row.done_at is not None) for row in done]


hooks = Hooks(withdrawn=_withdrawn, ended=_ended)
