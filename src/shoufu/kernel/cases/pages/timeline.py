from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.cases.models import Case, CaseEvent
from shoufu.kernel.cases.pages.words import role_label
from shoufu.kernel.notices import selectors as notices

MARKS = {
    "raised": "high",
    "repeated": "high",
    "acknowledged": "accent",
    "dispatched": "accent",
    "resolved": "good",
    "closed": "good",
    "false_alarm": "good",
    "escalated": "critical",
}

REFERRED = {
    "sent": _lazy("Referred to %(to)s"),
    "received": _lazy("Received by %(to)s"),
    "accepted": _lazy("Accepted by %(to)s"),
    "refused": _lazy("Refused by %(to)s"),
    "ended": _lazy("Outcome from %(to)s"),
    "withdrawn": _lazy("Withdrawn from %(to)s"),
    "late": _lazy("Not received by %(to)s in time"),
    "undelivered": _lazy("Could not be delivered to %(to)s"),
}


@dataclass(frozen=True)
class Line:
    """A line of the timeline: when, what in words, and the mark's colour."""

    at: Any
    mark: str
    what: str
    who: str
    text: str
    evidence: str = ""


def _what(event: Any) -> str:
    data: Mapping[str, Any] = event.data if isinstance(event.data, dict) else {}
    receiver = data.get("user") or (role_label(data["role"]) if data.get("role") else "")
    if event.kind == "dispatched" and receiver:
        return _("Dispatched to %(who)s") % {"who": receiver}
    if event.kind == "escalated" and data.get("role"):
        return _("Time limit passed: escalated to %(role)s") % {"role": role_label(data["role"])}
    if event.kind == "evidence" and data.get("missing"):
        return _("No recording of that time: %(cameras)s") % {"cameras": ", ".join(data["missing"])}
    if event.kind == "raised":
        return _("Rule fired") if data.get("why") or data.get("observations") else _("Raised")
    if event.kind == "referral" and data.get("to"):
        return REFERRED.get(str(data.get("step")), REFERRED["sent"]) % {"to": data["to"]}
    return str(event.get_kind_display())


def lines(request: PageRequest, case: Case, events: Iterable[CaseEvent]) -> list[Line]:
    rows = [
        Line(
            event.at,
            MARKS.get(event.kind, ""),
            _what(event),
            "" if event.actor == "system" else event.actor,
            event.text,
        )
        for event in events
    ]
    for notice in notices.of_case(request.actor, case.pk):
        if request.moment.known and notice.created_at > request.moment.known:
            continue
        whom = notice.user.label if notice.user else ""
        said = _("Told %(who)s (%(channel)s): %(state)s") % {
            "who": whom or _("an endpoint"),
            "channel": notice.get_channel_display(),
            "state": notice.get_state_display(),
        }
        rows.append(Line(notice.created_at, "accent", said, "", ""))
    return sorted(rows, key=lambda line: line.at, reverse=True)
