import json
from collections.abc import Mapping
from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.cases import services as cases
from shoufu.kernel.cases.models import Severity
from shoufu.kernel.cases.services import CaseReport
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties import services as parties
from shoufu.kernel.parties.models import Person
from shoufu.kernel.parties.services import PersonChange
from shoufu.kernel.privacy import selectors
from shoufu.kernel.privacy.calendar import working_days_after
from shoufu.kernel.privacy.models import DataRequest

TERM = 15
"""Working days within which a request is answered (GB/T 35273-2020, 8.7 allows thirty days)."""
FIELDS = ("name", "phone", "identity", "born")


def ask_correction(
    actor: Actor, wanted: Mapping[str, str], text: str = "", person_id: int | None = None
) -> DataRequest:
    """Ask that data about oneself be corrected: field (name, phone, identity, born) → what it should be."""
    given = {name: value.strip() for name, value in wanted.items() if value.strip()}
    unknown = set(given) - set(FIELDS)
    if unknown or not (given or text.strip()):
        raise Invalid.one("wanted", _("Say what is wrong and what it should be."))
    _checked(given)
    return _ask(actor, DataRequest.Kind.CORRECTION, person_id, text, given)


def ask_erasure(actor: Actor, text: str = "", person_id: int | None = None) -> DataRequest:
    """Ask that everything held on oneself be erased; somebody looks whether a duty keeps any of it."""
    return _ask(actor, DataRequest.Kind.ERASURE, person_id, text, {})


def object_to(actor: Actor, entry_id: int, text: str = "", person_id: int | None = None) -> DataRequest:
    """Object to a look, by one tap: who manages privacy there has to answer; a case is opened for it."""
    person = selectors.subject(actor, person_id, "requests.make")
    if not AuditEntry.objects.filter(pk=entry_id, subject=person.pk).exists():
        raise NotFound(_("There is no line %(id)s about you.") % {"id": entry_id})
    return _ask(actor, DataRequest.Kind.OBJECTION, person_id, text, {}, entry_id)


def _checked(wanted: Mapping[str, str]) -> PersonChange:
    born = wanted.get("born")
    try:
        day = date.fromisoformat(born) if born else None
    except ValueError as error:
        raise Invalid.one("born", _("Write the day like 1946-03-21.")) from error
    for name, check in (("phone", identifiers.phone), ("identity", identifiers.identity)):
        if name in wanted:
            check(wanted[name], name)
    return PersonChange(wanted.get("name"), wanted.get("phone"), wanted.get("identity"), day)


@transaction.atomic
def _ask(
    actor: Actor,
    kind: str,
    person_id: int | None,
    text: str,
    wanted: Mapping[str, str],
    entry: int | None = None,
) -> DataRequest:
    person = selectors.subject(actor, person_id, "requests.make")
    now = timezone.now()
    row = DataRequest(
        person=person,
        place_id=person.place_id,
        kind=kind,
        text=_sealed(person, text.strip(), "text"),
        wanted=_sealed(person, json.dumps(dict(wanted), ensure_ascii=False) if wanted else "", "wanted"),
        entry=entry,
        asked_by_id=actor.user_id,
        asked_at=now,
        due_at=working_days_after(now, TERM),
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("You have objected to this look already.")) from error
    data = {"kind": kind, "entry": entry} if entry else {"kind": kind}
    record(actor, Act("privacy.ask", row, place=person.place_id, subject=person.pk, data=data))
    _open_case(row, person)
    return row


def _open_case(row: DataRequest, person: Person) -> None:
    """The manager's queue shows that somebody asked; who and what stands behind a right and a recorded look."""
    titles = {
        DataRequest.Kind.CORRECTION: "居民申请更正个人信息",
        DataRequest.Kind.ERASURE: "居民申请删除个人信息",
        DataRequest.Kind.OBJECTION: "居民对查看其信息提出申诉",
    }
    severity = Severity.MEDIUM if row.kind == DataRequest.Kind.OBJECTION else Severity.LOW
    title = f"{titles[DataRequest.Kind(row.kind)]} #{row.pk}"
    cases.report(SYSTEM, CaseReport(person.place_id, title, severity, "privacy.request"))


def _sealed(person: Person, text: str, field: str) -> bytes | None:
    if not text:
        return None
    key = subjects.keys_for([person.pk])[person.pk]
    if key is None:
        raise Conflict(_("This person's data was erased; register them anew."))
    return subjects.seal_text(key, text, person.pk, f"request.{field}")


def opened(row: DataRequest) -> dict[str, str]:
    """The request's text, answer and wanted values in clear: for the person, and for who answers (a recorded look)."""
    key = subjects.known_keys([row.person_id]).get(row.person_id)
    found: dict[str, str] = {}
    for name in ("text", "answer", "wanted"):
        sealed = getattr(row, name)
        if sealed is not None and key is not None:
            found[name] = subjects.unseal_text(key, bytes(sealed), row.person_id, f"request.{name}")
    return found


@transaction.atomic
def cancel(actor: Actor, request_id: int) -> DataRequest:
    """Take back what one asked, while it is open."""
    row = DataRequest.objects.select_for_update().filter(pk=request_id, state=DataRequest.State.OPEN).first()
    if row is None or not selectors.may_act_for(actor, row.person_id, "requests.make"):
        raise NotFound(_("There is no open request %(id)s of yours.") % {"id": request_id})
    row.state, row.answered_at = DataRequest.State.CANCELLED, timezone.now()
    row.save(update_fields=["state", "answered_at"])
    record(actor, Act("privacy.cancel_request", row, place=row.place_id, subject=row.person_id))
    return row


@transaction.atomic
def answer(actor: Actor, request_id: int, *, done: bool, text: str) -> DataRequest:
    """Answer a request: done (a correction is applied, with its own audit entry) or refused with the reason.

    A refusal names its ground. Erasure itself is `erasure.erase`; answering "done" needs it to have happened.
    """
    row = selectors.get_request(actor, request_id)
    row = DataRequest.objects.select_for_update(of=("self",)).select_related("person", "place").get(pk=row.pk)
    if row.state != DataRequest.State.OPEN:
        raise Conflict(_("This request is answered already."))
    if not text.strip():
        raise Invalid.one("text", _("Say what was done, or why not; the person reads it."))
    if done and row.kind == DataRequest.Kind.CORRECTION:
        _apply(actor, row, text.strip())
    row.state = DataRequest.State.DONE if done else DataRequest.State.REFUSED
    row.answered_at, row.answered_by_id = timezone.now(), actor.user_id
    row.answer = _sealed(row.person, text.strip(), "answer")
    row.save(update_fields=["state", "answered_at", "answered_by", "answer"])
    data = {"kind": row.kind, "state": row.state}
    record(actor, Act("privacy.answer", row, place=row.place_id, subject=row.person_id, data=data))
    return row


def _apply(actor: Actor, row: DataRequest, reason: str) -> None:
    wanted = json.loads(opened(row).get("wanted", "{}"))
    if wanted:
        parties.correct_person(actor, row.person_id, _checked(wanted), reason[:200])
