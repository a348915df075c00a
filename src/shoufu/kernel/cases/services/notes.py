from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.cases import live
from shoufu.kernel.cases.evidence import Exhibit, attach_many
from shoufu.kernel.cases.models import CaseEvent, Evidence
from shoufu.kernel.cases.services.moves import locked, say


@transaction.atomic
def note(actor: Actor, case_id: int, text: str) -> CaseEvent:
    """Write a line into the timeline; needs no version, since it overwrites nothing."""
    case = locked(actor, case_id)
    if not text.strip():
        raise Invalid.one("text", _("Write something first."))
    event = say(case, CaseEvent.Kind.NOTE, actor, text.strip())
    record(actor, Act("cases.note", case, case.place_id))
    live.publish([case], "note")
    return event


@transaction.atomic
def attach(actor: Actor, case_id: int, media_id: UUID, at: datetime) -> list[Evidence]:
    """Add a media object that the actor may see to the evidence."""
    from shoufu.kernel.media.selectors import get as get_media

    case = locked(actor, case_id)
    media = get_media(actor, media_id)
    made = attach_many([(case, Exhibit(media.kind, at, media=media.pk))])
    say(case, CaseEvent.Kind.EVIDENCE, actor, data={"media": str(media.pk)})
    record(actor, Act("cases.evidence", case, case.place_id, data={"media": str(media.pk)}))
    live.publish([case], "evidence")
    return made
