"""What is processed, for what, and how long: the register, the retention report, and the pack for an auditor."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.audit.selectors import chain_state
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.observations.models import ObservationKind
from shoufu.kernel.parties.models import Consent, Person
from shoufu.kernel.privacy import declarations, selectors
from shoufu.kernel.privacy.declarations import Erase
from shoufu.kernel.privacy.models import DataRequest, Tombstone

FACES_TO_FILE, FACES_TO_WARN = 100_000, 80_000
"""人脸识别技术应用安全管理办法 (2025), Article 15: filing at 100,000 faces; the product warns earlier."""
FACE_PURPOSE = "face"
SMALLEST = 10
"""A published count has at least this many people in its cell."""


@dataclass(frozen=True)
class Entry:
    """A line of the register of processing: a table or a kind of observation, its purpose, its days, its erasure."""

    what: str
    purpose: str
    days: int | None
    erasure: str
    fields: str


def entries() -> list[Entry]:
    """Every table and every kind of observation that holds data of people."""
    english = (get_language() or "").startswith("en")
    ways = {Erase.DELETE: _("deleted"), Erase.BLANK: _("blanked"), Erase.KEEP: _("kept")}
    found = []
    for one in declarations.holdings():
        if not apps.is_installed(one.table._meta.app_config.name):
            continue
        fields = ", ".join(field.name for field in one.table._meta.concrete_fields)
        way = f"{ways[one.erase]}: {one.why}" if one.why else str(ways[one.erase])
        name = (one.title if english else one.title_zh) or one.model
        found.append(Entry(name, one.purpose if english else one.purpose_zh, one.days, way, fields))
    for kind in ObservationKind.objects.filter(personal=True):
        name = kind.name_en if english else kind.name
        fields = ", ".join(kind.schema.get("properties", {}))
        found.append(Entry(name, kind.purpose, kind.retention_days, str(ways[Erase.DELETE]), fields))
    return found


@dataclass(frozen=True)
class Ran:
    """A task that removes what is past its purpose: when it last ended well, what failed since, when it runs next."""

    task: str
    what: str
    last: datetime | None
    failed: int
    runs: int
    late: bool


RUNS = """
SELECT j.task_name, max(e.at) FILTER (WHERE e.type = 'succeeded'), count(*) FILTER (WHERE e.type = 'failed'),
       count(*) FILTER (WHERE e.type = 'succeeded')
FROM procrastinate_jobs j JOIN procrastinate_events e ON e.job_id = j.id
WHERE j.task_name = ANY(%s) AND e.at > now() - interval '30 days' GROUP BY j.task_name
"""


def retention() -> list[Ran]:
    """What the retention tasks did in the last thirty days; `late` when one has not ended well for two days."""
    english = (get_language() or "").startswith("en")
    listed = declarations.retentions()
    with connection.cursor() as cursor:
        cursor.execute(RUNS, [[one.task for one in listed]])
        ran = {row[0]: row[1:] for row in cursor.fetchall()}
    before = timezone.now() - timedelta(days=2)
    found = []
    for one in listed:
        last, failed, runs = ran.get(one.task, (None, 0, 0))
        what = one.what if english else one.what_zh
        found.append(Ran(one.task, what, last, failed, runs, last is None or last < before))
    return found


@dataclass(frozen=True)
class Assessment:
    """Figures for a personal information protection impact assessment (PIPL 55, 56) of the actor's places."""

    people: int
    consents: dict[str, int]
    withdrawn: int
    looks_30_days: int
    looks_without_reason: int
    requests_open: int
    requests_late: int
    erased: int
    proved: int
    faces: int
    faces_warning: bool
    chain_linked: int
    chain_pending: int


def assessment(actor: Actor, path: str = "/") -> Assessment:
    """Counts only; the register and the log behind them are in the pack."""
    people = policy.limit(Person.objects.filter(erased_at__isnull=True), actor, selectors.MANAGE)
    people = people.filter(place__path__startswith=path)
    consents = Consent.objects.filter(person__in=people.values("pk"))
    given = consents.filter(withdrawn_at__isnull=True).values("purpose").annotate(n=Count("pk"))
    counts = {row["purpose"]: row["n"] for row in given}
    looks = AuditEntry.objects.filter(subject__in=people.values("pk"), at__gt=timezone.now() - timedelta(days=30))
    looks = looks.filter(Q(action__contains=".look") | Q(action__contains=".search"))
    requests = selectors.requests(actor, path).filter(state=DataRequest.State.OPEN)
    stones = selectors.tombstones(actor)
    faces = Consent.objects.filter(purpose=FACE_PURPOSE, withdrawn_at__isnull=True).count()
    chain = chain_state()
    return Assessment(
        people=people.count(),
        consents=counts,
        withdrawn=consents.filter(withdrawn_at__isnull=False).count(),
        looks_30_days=looks.count(),
        looks_without_reason=looks.filter(reason="").count(),
        requests_open=requests.count(),
        requests_late=requests.filter(due_at__lt=timezone.now()).count(),
        erased=stones.count(),
        proved=stones.filter(remaining=0).count(),
        faces=faces,
        faces_warning=faces >= FACES_TO_WARN,
        chain_linked=chain.linked,
        chain_pending=chain.pending,
    )


def _looks(actor: Actor, path: str) -> Iterator[list[Any]]:
    people = policy.limit(Person.objects.filter(place__path__startswith=path), actor, selectors.MANAGE)
    rows = AuditEntry.objects.filter(subject__in=people.values("pk"), at__gt=timezone.now() - timedelta(days=365))
    for entry in rows.order_by("at").iterator(chunk_size=2000):
        yield [entry.at.isoformat(), entry.action, entry.actor_kind, entry.actor_id, entry.subject, entry.reason]


def _csv(head: list[str], rows: Iterator[list[Any]] | list[list[Any]]) -> str:
    from shoufu.kernel.base.lists.sheets import cell

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([cell(value) for value in row] for row in rows)
    return "\ufeff" + out.getvalue()


def pack(actor: Actor, path: str = "/") -> bytes:
    """The audit pack as a ZIP: register, consents, looks of a year, requests, erasures with receipts, assessment.

    People are numbers in it. Leaves an audit entry.
    """
    policy.require_anywhere(actor, selectors.MANAGE)
    people = policy.limit(Person.objects.filter(place__path__startswith=path), actor, selectors.MANAGE)
    consents = Consent.objects.filter(person__in=people.values("pk")).order_by("given_at")
    requests = selectors.requests(actor, path).order_by("asked_at")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        listed = [[one.what, one.purpose, one.days, one.erasure, one.fields] for one in entries()]
        made.writestr("register.csv", _csv(["what", "purpose", "days", "erasure", "fields"], listed))
        rows = [[c.person_id, c.purpose, c.given_at, c.withdrawn_at, c.how] for c in consents]
        made.writestr("consents.csv", _csv(["person", "purpose", "given_at", "withdrawn_at", "how"], rows))
        made.writestr("looks.csv", _csv(["at", "act", "kind", "account", "person", "reason"], _looks(actor, path)))
        asked = [[r.pk, r.person_id, r.kind, r.state, r.asked_at, r.due_at, r.answered_at] for r in requests]
        made.writestr("requests.csv", _csv(["id", "person", "kind", "state", "asked", "due", "answered"], asked))
        stones = [_stone(stone) for stone in selectors.tombstones(actor)]
        made.writestr("erasures.json", json.dumps(stones, ensure_ascii=False, indent=1, default=str))
        ran = [[one.task, one.what, one.last, one.runs, one.failed] for one in retention()]
        made.writestr("retention.csv", _csv(["task", "what", "last", "runs", "failed"], ran))
        figures = asdict(assessment(actor, path))
        made.writestr("assessment.json", json.dumps(figures, ensure_ascii=False, indent=1))
    record(actor, Act("privacy.pack", object_type="privacy", data={"path": path}))
    return buffer.getvalue()


def _stone(stone: Tombstone) -> dict[str, Any]:
    return {
        "person": stone.person,
        "erased_at": stone.erased_at,
        "reason": stone.reason,
        "proved_at": stone.proved_at,
        "remaining": stone.remaining,
        "receipt": stone.receipt,
    }
