import hashlib
import io
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from shoufu.kernel.base.ids import uuid7
from shoufu.scenes.homecare.encounters import checklists, services
from shoufu.scenes.homecare.encounters.services import Answer, Draft
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.register.selectors import day_at
from shoufu.scenes.homecare.visits.models import Stop, Visit

HOME = {"longitude": 123.4201, "latitude": 41.8401, "accuracy": 12.0}
DOORS = ("check_in", "check_out")
STROKES = [[[10, 10], [20, 30], [40, 20], [60, 35], [80, 15], [90, 20]]]
TICKS = {item.code: "yes" for item in checklists.newest().asked(("wound",))}


def jpeg(width: int = 200, height: int = 150) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (width, height), (180, 90, 80)).save(out, "JPEG")
    return out.getvalue()


@dataclass
class Phone:
    """A phone of the nurse's: it counts the lines of each visit, as the real one does."""

    care: Any
    user: str = "song"
    device: UUID = field(default_factory=uuid4)
    ahead: timedelta = timedelta(0)
    last: dict[int, int] = field(default_factory=dict)

    def line(self, visit: Visit, kind: str, content: Any = None, base: int | None = None, **changes: Any) -> Draft:
        number = self.last[visit.pk] = self.last.get(visit.pk, 0) + 1
        content = (HOME if kind in DOORS else {}) if content is None else content
        plain = {
            "id": uuid7(), "visit": visit.pk, "sequence": number, "kind": kind,
            "at": timezone.now() + self.ahead, "content": content, "base": base,
        }  # fmt: skip
        return Draft(**plain | changes)

    def send(self, *lines: Draft) -> list[Answer]:
        found = services.sync(self.care.act(self.user), self.device, timezone.now() + self.ahead, lines)
        order = {one.id: n for n, one in enumerate(lines)}
        return sorted(found, key=lambda one: order[one.id])

    def fetch(self) -> Any:
        return services.bundle(self.care.act(self.user), self.device)

    def whole(self, visit: Visit) -> list[Draft]:
        """All lines of a visit, from the door to the door."""
        return [
            self.line(visit, "identity", {"method": "document", "digits": "4021"}),
            self.line(visit, "check_in", HOME),
            self.line(visit, "consent", {"service": True, "photos": True, "by": "patient", "version": 1}),
            self.line(visit, "checklist", {"checklist": "home-visit-1", "answers": TICKS}),
            self.line(visit, "vitals", {"values": {"systolic": 132, "diastolic": 78, "pulse": 70}, "device": "cuff"}),
            self.line(visit, "record", {"findings": "创面红润", "wounds": [{"site": "骶尾部", "length": 3.2}]}, 0),
            self.line(visit, "consumables", {"used": [{"name": "手套", "quantity": 2, "unit": "副"}]}),
            self.line(visit, "signature", {"by": "patient", "width": 300, "height": 120, "strokes": STROKES}),
            self.line(visit, "check_out", HOME),
        ]

    def photo(self, visit: Visit, content: bytes, **changes: Any) -> Draft:
        plain = {
            "media": str(uuid7()), "content_type": "image/jpeg", "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(), "width": 200, "height": 150, "subject": "wound",
            "ruler": {"ends": [[10, 140], [110, 140]], "millimetres": 50},
            "outline": [[50, 50], [90, 50], [90, 80], [50, 80]],
        }  # fmt: skip
        return self.line(visit, "photo", plain | changes)


@dataclass
class Visiting:
    care: Any
    visit: Visit
    phone: Phone

    def another(self, state: str = "booked", practitioner: Any = None, **changes: Any) -> Visit:
        """One more visit to Mei today, promised for a while ago."""
        start = self.visit.starts_at - timedelta(hours=2 * Visit.objects.count())
        return visit(self.care, practitioner or self.care.song, start, state, **changes)

    def colleague(self) -> Any:
        """A second nurse of the same institution, with an account: Lan."""
        from shoufu.kernel.access.models import RoleAssignment
        from shoufu.kernel.parties import services as parties

        care = self.care
        lan = register.add_practitioner(care.act("gao"), care.office.pk, sys_nurse("欧阳兰"))
        register.verify(care.act("gao"), lan.pk, "国家注册系统")
        since = timezone.now() - timedelta(days=1)
        RoleAssignment.objects.create(user=care.users["lan"], role="nurse", place=care.world.songshan, since=since)
        from shoufu.kernel.base.actor import SYSTEM

        draft = parties.MembershipDraft(care.people["lan"].pk, care.office.organisation_id, "护理", since.date())
        parties.add_members(SYSTEM, [draft])
        return lan


def sys_nurse(name: str) -> Any:
    import sys

    return sys.modules["care_story"].nurse(name)


def visit(care: Any, practitioner: Any, start: datetime, state: str = "booked", **changes: Any) -> Visit:
    version = care.service.versions.get()
    plain = {
        "patient": care.mei, "institution": care.office, "service": care.service, "version": version,
        "place": care.mei.place, "state": state, "day": day_at(care.mei.place), "starts_at": start,
        "latest_at": start + timedelta(minutes=30), "requested_at": timezone.now(),
    }  # fmt: skip
    row = Visit.objects.create(**plain | changes)
    span = DateTimeTZRange(start, start + timedelta(minutes=version.duration_minutes))
    Stop.objects.create(visit=row, task=0, practitioner=practitioner, span=span)
    return row


def build(care: Any) -> Visiting:
    start = timezone.now() - timedelta(minutes=10)
    return Visiting(care, visit(care, care.song, start), Phone(care))
