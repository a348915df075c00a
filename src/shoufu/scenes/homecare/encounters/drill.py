from datetime import timedelta
from typing import Any
from uuid import uuid4

from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """An encounter with a record, a line in conflict, and a nurse who called for help and is late."""
    from django.utils import timezone

    from shoufu.kernel.audit.services import subjects
    from shoufu.scenes.homecare.encounters import checklists, documents
    from shoufu.scenes.homecare.encounters.models import Encounter, Entry, Operation, Overdue, Photo, Sos
    from shoufu.scenes.homecare.encounters.services.common import LINE, PHOTO, keep
    from shoufu.scenes.homecare.encounters.services.watching import Late, _case

    visit, nurse = estate.row("homecare_visits.Visit"), estate.row("homecare_register.Practitioner")
    person, now = visit.patient.person_id, timezone.now()
    subjects.keys_for([person])
    encounter = Encounter.objects.create(
        visit=visit, practitioner=nurse, patient=visit.patient, place=visit.place, opened_at=now, in_at=now,
        in_known=now, checklist=checklists.newest().name,
    )  # fmt: skip

    def plain(kind: str, content: Any) -> dict[str, Any]:
        return documents.plain(documents.read(kind, content))

    Entry.objects.create(
        encounter=encounter, kind="record", number=1, at=now, known_at=now, author=nurse,
        content=keep(person, plain("record", {"findings": estate.mark()}), LINE),
    )  # fmt: skip
    Operation.objects.create(
        id=uuid4(), visit=visit, encounter=encounter, practitioner=nurse, device=uuid4(), sequence=1, kind="record",
        at=now, known_at=now, result="conflict", digest=b"0" * 32, problem={"detail": estate.mark()},
        content=keep(person, {"content": {"findings": estate.mark()}, "base": 0}, LINE),
    )  # fmt: skip
    shown = {
        "media": str(uuid4()),
        "content_type": "image/jpeg",
        "size": 9,
        "sha256": "0" * 64,
        "width": 9,
        "height": 9,
    }
    Photo.objects.create(
        id=uuid4(), encounter=encounter, content_type="image/jpeg", size=9, width=9, height=9, sha256=b"0" * 32, at=now,
        detail=keep(person, plain("photo", shown) | {"measured": None}, PHOTO),
    )  # fmt: skip
    late = Late(visit, nurse, "out", now - timedelta(minutes=40))
    case = _case(late)
    Overdue.objects.create(visit=visit, practitioner=nurse, what="out", due_at=late.due, opened_at=now, case=case)
    Sos.objects.create(
        id=uuid4(), practitioner=nurse, visit=visit, place=visit.place, case=case, pressed_at=now, known_at=now
    )


neighbours = Neighbours(
    seed,
    values={
        "act": ("look", "print", "way", "add", "finish", "settle", "take", "note", "done"),
        "reason": ("drill",),
        "kind": ("record",),
        "device": ("0190b2f0-0000-7000-8000-000000000001",),
        "sent_at": ("2030-01-01T08:00:00+08:00",),
        "pressed_at": ("2030-01-01T08:00:00+08:00",),
        "at": ("2030-01-01T08:00:00+08:00",),
        "radius": ("200",),
        "grace": ("30",),
        "alarm_number": ("13800138000",),
        "offset": ("0",),
    },
)
