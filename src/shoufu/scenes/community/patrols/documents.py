from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.pdf import Document
from shoufu.kernel.cases.lifecycle import case_kind
from shoufu.scenes.community.patrols.selectors import Report


def kind_name(code: str, english: bool) -> str:
    kind = case_kind(code)
    return kind.name_en if english else kind.name


def report_pdf(found: Report, english: bool) -> bytes:
    """The shift report as an A4 document; times in the place's zone."""
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(found.place.time_zone)

    def clock(moment: object) -> str:
        return f"{moment.astimezone(zone):%m-%d %H:%M}" if moment else ""  # type: ignore[attr-defined]

    printed = timezone.now().astimezone(zone)
    span = f"{found.since.astimezone(zone):%Y-%m-%d %H:%M} – {found.until.astimezone(zone):%m-%d %H:%M}"
    document = Document(
        _("Shift report") + f" · {found.place.label}", _("Printed %(when)s") % {"when": f"{printed:%Y-%m-%d %H:%M}"}
    )
    document.paragraph(span)
    document.heading(_("On duty"))
    document.table(
        [_("Who"), _("From"), _("Until"), _("Hand-over note")],
        [[s.user.label, clock(s.began_at), clock(s.ended_at), s.note] for s in found.shifts],
        [2, 1.4, 1.4, 5],
    )
    document.heading(_("Cases") + f" · {found.cases}")
    document.table(
        [_("Kind"), _("Cases"), _("Still open"), _("False alarm"), _("Minutes to acknowledge")],
        [
            [
                kind_name(k.kind, english),
                k.cases,
                k.opened,
                k.false_alarms,
                "" if k.minutes is None else f"{k.minutes:.1f}",
            ]
            for k in found.kinds
        ],
        [4, 1, 1, 1, 2],
    )
    if found.urgent:
        document.heading(_("Critical and high"))
        document.table(
            [_("Number"), _("When"), _("What"), _("Where"), _("State"), _("Outcome")],
            [
                [c.number, clock(c.opened_at), c.title_en if english and c.title_en else c.title, c.place.label]
                + [c.get_state_display(), c.outcome]
                for c in found.urgent
            ],
            [2.2, 1.6, 3, 2.4, 1.2, 3],
        )
    # The selector annotates them with what mypy does not see: passed, stops, noted.
    rounds: list[Any] = list(found.rounds)
    document.heading(_("Patrols") + f" · {found.walked}/{len(found.rounds)}")
    document.table(
        [_("Due at"), _("Route"), _("State"), _("Points"), _("Who"), _("Notes")],
        [
            [
                clock(r.due_at),
                r.route.name,
                r.get_state_display(),
                f"{r.passed}/{r.stops}",
                r.walker.label if r.walker else "",
            ]
            + ["; ".join(f"{p.point.name}: {p.note}" for p in r.noted)]
            for r in rounds
        ],
        [1.5, 2.4, 1.3, 1, 1.8, 3],
    )
    if found.offline:
        document.heading(_("Devices off line"))
        document.table(
            [_("Device"), _("Where"), _("Since")],
            [
                [d.name_en if english and d.name_en else d.name, d.place.label, clock(d.status_since)]
                for d in found.offline
            ],
            [3, 3, 2],
        )
    return document.render()
