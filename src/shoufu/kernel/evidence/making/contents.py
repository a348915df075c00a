from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.template.loader import render_to_string
from django.utils import timezone

from shoufu.kernel.cases.models import Case, CaseEvent
from shoufu.kernel.evidence import selectors
from shoufu.kernel.evidence.making.pictures import Bundled, Made, bundled
from shoufu.kernel.evidence.models import Export


def case_data(case: Case) -> dict[str, Any]:
    """What the manifest says of the case."""
    return {
        "number": case.number,
        "kind": case.kind,
        "title": case.title,
        "severity": case.severity,
        "state": case.state,
        "place": case.place.code,
        "place_name": case.place.name,
        "opened_at": case.opened_at.isoformat(),
        "known_at": case.known_at.isoformat(),
    }


def _timeline(case: Case) -> list[dict[str, Any]]:
    return [
        {
            "at": event.at.isoformat(),
            "known": event.known.isoformat(),
            "kind": event.kind,
            "actor": event.actor,
            "text": event.text,
            "data": event.data,
        }
        for event in CaseEvent.objects.filter(case=case)
    ]


def _observations(case: Case) -> list[dict[str, Any]]:
    """Observations of the case with their SHA-256; number plates that were read stand in their results."""
    return [
        {
            "id": str(item.observation),
            "t": item.t.isoformat(),
            "sha256": bytes(item.sha256).hex(),
            **{name: (item.data or {}).get(name) for name in ("kind", "feature", "result")},
        }
        for item in case.evidence.filter(kind="observation")
    ]


def _custody(case: Case) -> list[dict[str, Any]]:
    return [
        {
            "at": entry.at.isoformat(),
            "actor": entry.actor_label,
            "action": entry.action,
            "object": f"{entry.object_type}:{entry.object_id}",
            "reason": entry.reason,
        }
        for entry in selectors.case_custody(case)
    ]


def _json(path: str, value: Any) -> Bundled:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
    return bundled(path, text, "data", content_type="application/json")


def data_files(export: Export, made: Made) -> list[Bundled]:
    """Timeline, observations and custody as JSON."""
    case = export.case
    return [
        _json("data/timeline.json", _timeline(case)),
        _json("data/observations.json", _observations(case)),
        _json("data/custody.json", _custody(case)),
    ]


def index_page(export: Export, made: Made, files: Sequence[Bundled], fingerprint: str, now: datetime) -> Bundled:
    """The page that opens offline: what is in here, what happened, how to check it."""
    context = {
        "export": export,
        "case": export.case,
        "files": [file.entry for file in files],
        "media": [file.entry for file in files if file.entry.path.startswith("media/")],
        "sealed": [file.entry for file in files if file.entry.role == "sealed"],
        "gaps": made.gaps,
        "notes": made.notes,
        "timeline": CaseEvent.objects.filter(case=export.case),
        "observations": _observations(export.case),
        "custody": selectors.case_custody(export.case),
        "fingerprint": " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4)),
        "now": timezone.localtime(now),
        "chinese": not export.language.startswith("en"),
    }
    return bundled(
        "index.html", render_to_string("evidence/bundle.html", context).encode(), "page", content_type="text/html"
    )
