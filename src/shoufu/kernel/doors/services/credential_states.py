from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.doors.models import Credential, Receipt, Technology
from shoufu.kernel.doors.services.common import MANAGE
from shoufu.kernel.doors.services.credentials import FACE_CONSENT, State, act
from shoufu.kernel.doors.services.rulesets import controllers_of_credentials, publish, receipts, withdraw
from shoufu.kernel.parties.models import Consent

STEPS: Mapping[str, tuple[str, ...]] = {
    State.SUSPENDED: (State.ACTIVE,),
    State.ACTIVE: (State.SUSPENDED, State.LOST),
    State.LOST: (State.ACTIVE, State.SUSPENDED),
    State.REVOKED: (State.ACTIVE, State.SUSPENDED, State.LOST),
}


def suspend(actor: Actor, ids: Sequence[int], reason: str) -> list[Receipt]:
    """Stop credentials for a while."""
    return change_state(actor, ids, State.SUSPENDED, reason)


def restore(actor: Actor, ids: Sequence[int], reason: str) -> list[Receipt]:
    """Let suspended or found credentials open doors again."""
    return change_state(actor, ids, State.ACTIVE, reason)


def lose(actor: Actor, ids: Sequence[int], reason: str) -> list[Receipt]:
    """Credentials are lost: refused from now on, and trying one is told as such."""
    return change_state(actor, ids, State.LOST, reason)


def revoke(actor: Actor, ids: Sequence[int], reason: str) -> list[Receipt]:
    """End credentials for good; one receipt a controller that must forget each."""
    return change_state(actor, ids, State.REVOKED, reason)


@transaction.atomic
def change_state(actor: Actor, ids: Sequence[int], state: str, reason: str) -> list[Receipt]:
    """Bring credentials into another state, all or none; the doors that know them learn of it at once.

    A person who is left with a face alone has that suspended too. Queries do not grow with the number.
    """
    if not reason.strip():
        raise Invalid.one("reason", _("Say why."))
    rows = _wanted(actor, ids)
    for row in rows:
        if row.state not in STEPS[state] and row.state != state:
            raise Conflict(
                _("A credential that is “%(state)s” cannot become this.") % {"state": row.get_state_display()}
            )
    rows = [row for row in rows if row.state != state]
    if state == State.ACTIVE:
        _refuse_faces(rows)
    return apply_state(actor, rows, state, reason.strip())


def _wanted(actor: Actor, ids: Sequence[int]) -> list[Credential]:
    locked = Credential.objects.select_for_update(of=("self",)).select_related("place").order_by("pk")
    rows = list(locked.filter(pk__in=set(ids)))
    for row in rows:
        if not (actor.may("doors.view", row.place.path) or actor.may(MANAGE, row.place.path)):
            raise NotFound(_("There is no such entry %(id)s that you may see.") % {"id": row.pk})
        policy.require(actor, MANAGE, row.place)
    if len(rows) != len(set(ids)):
        missing = min(set(ids) - {row.pk for row in rows})
        raise NotFound(_("There is no such entry %(id)s that you may see.") % {"id": missing})
    return rows


def _refuse_faces(rows: Sequence[Credential]) -> None:
    faces = [row for row in rows if row.technology == Technology.FACE]
    if not faces:
        return
    people = {row.person_id for row in faces}
    agreed = Consent.objects.filter(person__in=people, purpose=FACE_CONSENT, withdrawn_at__isnull=True)
    if people - set(agreed.values_list("person_id", flat=True)):
        raise Invalid.one("technology", _("Record the person's separate consent to face recognition first."))


def apply_state(actor: Actor, rows: Sequence[Credential], state: str, reason: str) -> list[Receipt]:
    """The same for rows that are locked and checked."""
    if not rows:
        return []
    now = timezone.now()
    touched = controllers_of_credentials(rows)
    for row in rows:
        row.state, row.state_since, row.state_reason = state, now, reason[:200]
        row.version += 1
    Credential.objects.bulk_update(rows, ["state", "state_since", "state_reason", "version"], batch_size=1000)
    record_many(actor, [act(f"doors.{state}", row, reason) for row in rows])
    lonely = _lonely_faces(rows) if state != State.ACTIVE else []
    if lonely:
        touched |= controllers_of_credentials(lonely)
        for row in lonely:
            row.state, row.state_since, row.state_reason = State.SUSPENDED, now, _("a face is never the only way in")
            row.version += 1
        Credential.objects.bulk_update(lonely, ["state", "state_since", "state_reason", "version"])
        record_many(actor, [act("doors.suspended", row, row.state_reason) for row in lonely])
    controllers = {one for found in touched.values() for one in found}
    if state == State.ACTIVE:
        publish(actor, controllers, "credentials active")
        return []
    versions = withdraw(actor, [*rows, *lonely], controllers, f"credentials {state}")
    people = {row.pk: row.person_id for row in (*rows, *lonely)}
    return receipts(touched, people, versions)


def _lonely_faces(rows: Sequence[Credential]) -> list[Credential]:
    people = {row.person_id for row in rows if row.person_id is not None and row.technology != Technology.FACE}
    if not people:
        return []
    active = Credential.objects.filter(person__in=people, state=State.ACTIVE)
    with_other = set(active.filter(~Q(technology=Technology.FACE)).values_list("person_id", flat=True))
    return list(active.filter(technology=Technology.FACE).exclude(person__in=with_other).select_related("place"))
