from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from shoufu.kernel.access.policy import require_anywhere
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.kernel.cases.evidence import Exhibit, attach_many
from shoufu.kernel.cases.models import Case, CaseEvent, Severity
from shoufu.kernel.cases.services import CaseReport, report
from shoufu.kernel.cases.services.moves import say
from shoufu.kernel.media.services import StoreMedia, store
from shoufu.kernel.notices.services import About, notify_user
from shoufu.kernel.parties.models import Person
from shoufu.kernel.parties.selectors import has_consent, home_label, homes, unit_label
from shoufu.kernel.places.models import Place
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.community.acting import accounts_of
from shoufu.scenes.community.resident.models import Contact, Request
from shoufu.scenes.community.resident.services.pictures import cleaned

SCOPE = "repairs.make"
SOS_AGAIN = timedelta(minutes=10)
MOST_PICTURES = 4
REPAIRS = {
    "light": ("灯", "Light"),
    "water": ("水", "Water"),
    "door": ("门", "Door"),
    "lift": ("电梯", "Lift"),
    "other": ("其他", "Other"),
}
COMPLAINTS = {
    "noise": ("噪音", "Noise"),
    "parking": ("停车", "Parking"),
    "cleaning": ("卫生", "Cleaning"),
    "service": ("服务", "Service"),
    "other": ("其他", "Other"),
}
SUBJECTS = {Request.Kind.REPAIR: REPAIRS, Request.Kind.COMPLAINT: COMPLAINTS}
NAMES = {Request.Kind.REPAIR: ("报修", "Repair"), Request.Kind.COMPLAINT: ("投诉", "Complaint")}


@dataclass(frozen=True)
class RequestDraft:
    """A repair or complaint: about what (a code of `SUBJECTS`), in the person's words, with up to four pictures.

    `person`: somebody who lets the actor do it ("repairs.make"); None for oneself.
    """

    kind: str
    subject: str
    text: str
    pictures: Sequence[bytes] = ()
    person: int | None = None


def ask(actor: Actor, draft: RequestDraft) -> Request:
    """Send a repair or complaint to the property office as a case, with cleaned pictures as its evidence."""
    require_anywhere(actor, "own.request")
    person = privacy.subject(actor, draft.person, SCOPE)
    errors = []
    if draft.kind not in SUBJECTS:
        raise Invalid.one("kind", _("Choose a repair or a complaint."))
    if draft.subject not in SUBJECTS[Request.Kind(draft.kind)]:
        errors.append(FieldError("subject", _("Choose what it is about.")))
    if not draft.text.strip():
        errors.append(FieldError("text", _("Say in a few words what is wrong.")))
    if len(draft.pictures) > MOST_PICTURES:
        errors.append(FieldError("pictures", _("At most %(n)d pictures.") % {"n": MOST_PICTURES}))
    if errors:
        raise Invalid(*errors)
    return _ask(actor, draft, person, [cleaned(picture) for picture in draft.pictures])


@transaction.atomic
def _ask(actor: Actor, draft: RequestDraft, person: Person, pictures: Sequence[bytes]) -> Request:
    kind = Request.Kind(draft.kind)
    place = _place(person)
    subject, subject_en = SUBJECTS[kind][draft.subject]
    name, name_en = NAMES[kind]
    with override("zh-hans"):
        title = f"{name}：{subject} · {unit_label(place)}"
    case = report(SYSTEM, CaseReport(place.pk, title, Severity.LOW, f"resident.{kind}", draft.text.strip()[:2000]))
    with override("en"):
        case.title_en = f"{name_en}: {subject_en} · {unit_label(place)}"[:160]
    case.save(update_fields=["title_en"])
    now = timezone.now()
    kept = [
        store(SYSTEM, StoreMedia("snapshot", "image/jpeg", now, place_id=place.pk), picture) for picture in pictures
    ]
    attach_many([(case, Exhibit("snapshot", now, media=media.pk)) for media in kept])
    row = Request.objects.create(person=person, case=case, kind=kind, made_by_id=actor.user_id)
    data = {"kind": kind, "pictures": len(kept)}
    record(actor, Act("resident.ask", row, place=place.pk, subject=person.pk, data=data))
    return row


def _place(person: Person) -> Place:
    """The unit where a person lives; the place that they are registered at where they live nowhere."""
    lived = homes(person.pk)
    return lived[0].place if lived else person.place


@dataclass(frozen=True)
class Called:
    """A call for help: its request, whether it is new, and how many of the person's own people were told."""

    request: Request
    fresh: bool
    told: int


@transaction.atomic
def call_for_help(actor: Actor) -> Called:
    """The person calls for help: a critical case with their door, and a notice to those whom they named.

    Within ten minutes a further call adds a line to the open case, and does not begin another.
    """
    require_anywhere(actor, "own.request")
    person = privacy.subject(actor, None, "")
    now = timezone.now()
    rows = Request.objects.select_for_update(of=("self",)).select_related("case__place")
    recent = rows.filter(person=person, kind=Request.Kind.SOS, made_at__gt=now - SOS_AGAIN, case__state__in=Case.OPEN)
    found = recent.first()
    if found is not None:
        say(found.case, CaseEvent.Kind.REPEATED, SYSTEM, _("Called for help again."))
        record(actor, Act("resident.sos", found, place=found.case.place_id, subject=person.pk, data={"again": True}))
        return Called(found, False, 0)
    lived = homes(person.pk)
    place = lived[0].place if lived else person.place
    with override("zh-hans"):
        label = home_label(lived[0]) if lived else place.label
    case = report(SYSTEM, CaseReport(place.pk, f"求助：{label}", Severity.CRITICAL, "resident.sos"))
    with override("en"):
        case.title_en = f"Help: {home_label(lived[0]) if lived else place.label}"[:160]
    case.save(update_fields=["title_en"])
    row = Request.objects.create(person=person, case=case, kind=Request.Kind.SOS, made_by_id=actor.user_id)
    record(actor, Act("resident.sos", row, place=place.pk, subject=person.pk, data={"again": False}))
    return Called(row, True, _tell_contacts(person, case, label))


def _tell_contacts(person: Person, case: Case, label: str) -> int:
    """Tell the contacts who have an account here; only while the person allows it."""
    if not has_consent(person.pk, "emergency.contact"):
        return 0
    known = set(Contact.objects.filter(person=person, known__isnull=False).values_list("known_id", flat=True))
    at = case.opened_at.astimezone(ZoneInfo(case.place.time_zone))
    words = {"name": person.name, "home": label, "time": f"{at:%H:%M}"}
    about = About(case.place, f"{case.pk}:sos", {"zh-hans": words, "en": words})
    told = accounts_of({pk for pk in known if pk}, "")
    for user in told:
        notify_user(SYSTEM, "resident.sos", about, user)
    return len(told)
