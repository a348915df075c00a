import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.cases import live
from shoufu.kernel.cases.models import Case, CaseEvent, Evidence, PendingEvidence
from shoufu.kernel.media.models import MediaObject
from shoufu.kernel.observations.models import Observation

PATIENCE = timedelta(minutes=15)
REACH = timedelta(days=2)


@dataclass(frozen=True)
class Exhibit:
    """Something to put into a case's evidence: a media object ("snapshot", "clip") or an observation, and its time."""

    kind: str
    t: datetime
    media: UUID | None = None
    observation: UUID | None = None


def digest(row: Observation) -> bytes:
    """SHA-256 over an observation's canonical JSON (sorted keys, UTF-8)."""
    content = {
        "id": str(row.id),
        "kind": row.kind.code,
        "device": row.device_id,
        "t": row.t.isoformat(),
        "feature": row.foi,
        "result": row.result,
    }
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).digest()


def _observations(exhibits: Sequence[Exhibit]) -> dict[UUID, Observation]:
    wanted = [exhibit for exhibit in exhibits if exhibit.observation]
    if not wanted:
        return {}
    since, until = min(exhibit.t for exhibit in wanted), max(exhibit.t for exhibit in wanted)
    rows = Observation.objects.filter(
        id__in={exhibit.observation for exhibit in wanted}, t__range=(since - REACH, until + REACH)
    )
    return {row.id: row for row in rows.select_related("kind")}


def _media_named(row: Observation) -> Iterable[UUID]:
    """The media that an observation's result names ("snapshot", "clip")."""
    for name in ("snapshot", "clip"):
        text = row.result.get(name) if isinstance(row.result, dict) else None
        if not isinstance(text, str):
            continue
        try:
            yield UUID(text)
        except ValueError:
            continue


def attach_many(pairs: Sequence[tuple[Case, Exhibit]]) -> list[Evidence]:
    """Add exhibits to cases with the SHA-256 of each, and the pictures that the observations name.

    A picture that has not arrived yet (a clip is cut after the event) is noted as pending. What is already attached
    is passed over. A constant number of queries.
    """
    if not pairs:
        return []
    rows = _observations([exhibit for _, exhibit in pairs])
    made: list[Evidence] = []
    media: dict[tuple[int, UUID], Case] = {}
    for case, exhibit in pairs:
        if exhibit.media:
            media[case.pk, exhibit.media] = case
        row = rows.get(exhibit.observation) if exhibit.observation else None
        if row is None:
            continue
        data = {"kind": row.kind.code, "result": row.result, "feature": row.foi}
        made.append(Evidence(case=case, kind="observation", observation=row.id, t=row.t, sha256=digest(row), data=data))
        media |= {(case.pk, named): case for named in _media_named(row)}
    return Evidence.objects.bulk_create(made + _of_media(media), ignore_conflicts=True)


def _of_media(wanted: dict[tuple[int, UUID], Case]) -> list[Evidence]:
    found = MediaObject.objects.in_bulk({media for _, media in wanted})
    PendingEvidence.objects.bulk_create(
        [PendingEvidence(case=case, media=media) for (_, media), case in wanted.items() if media not in found],
        ignore_conflicts=True,
    )
    return [
        Evidence(case=case, kind=item.kind, media=item, t=item.t, sha256=bytes(item.sha256))
        for (_, media), case in wanted.items()
        if (item := found.get(media))
    ]


@transaction.atomic
def collect_pending() -> int:
    """Attach pictures that have arrived since their case was raised; give up, and say so, after 15 minutes.

    Returns how many were attached.
    """
    pending = list(
        PendingEvidence.objects.select_for_update(skip_locked=True, of=("self",)).select_related("case__place")[:500]
    )
    if not pending:
        return 0
    now = timezone.now()
    found = MediaObject.objects.in_bulk({item.media for item in pending})
    arrived = [item for item in pending if item.media in found]
    late = [item for item in pending if item.media not in found and item.since < now - PATIENCE]
    media = {(item.case_id, item.media): item.case for item in arrived}
    evidence = Evidence.objects.bulk_create(_of_media(media), ignore_conflicts=True)
    CaseEvent.objects.bulk_create(
        [_event(item, now, "") for item in arrived] + [_event(item, now, "missing") for item in late]
    )
    PendingEvidence.objects.filter(pk__in=[item.pk for item in arrived + late]).delete()
    record_many(
        SYSTEM,
        [Act("cases.evidence", item.case, item.case.place_id, data={"media": str(item.media)}) for item in arrived],
    )
    live.publish(list({item.case_id: item.case for item in arrived}.values()), "evidence")
    return len(evidence)


def _event(item: PendingEvidence, now: datetime, problem: str) -> CaseEvent:
    return CaseEvent(
        case=item.case,
        kind=CaseEvent.Kind.EVIDENCE,
        at=now,
        known=now,
        actor=SYSTEM.label,
        data={"media": str(item.media)} | ({"problem": problem} if problem else {}),
    )
