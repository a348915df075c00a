from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.parties.selectors import home_label, homes
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.community.resident.pages.common import person_id, shown, tried
from shoufu.scenes.community.visitors import selectors, services
from shoufu.scenes.community.visitors.models import Invitation

DAYS = (("mon", "一"), ("tue", "二"), ("wed", "三"), ("thu", "四"), ("fri", "五"), ("sat", "六"), ("sun", "日"))


def _spans() -> list[tuple[str, str]]:
    return [
        ("2h", _("Next 2 hours")),
        ("today", _("Today")),
        ("tomorrow", _("Tomorrow")),
        ("own", _("Other time")),
        ("weekly", _("Every week")),
    ]


@needs("own.invite")
def listing(request: PageRequest) -> HttpResponse:
    """Whom I expect, who is inside, who was here."""
    chosen = person_id(request)
    rows = selectors.own(request.actor, chosen)
    still = rows.filter(state__in=Invitation.OPEN)
    past = rows.exclude(state__in=Invitation.OPEN)
    return shown(request, "community/resident/visitors.html", tab="visitors", open=still[:50], past=past[:20])


@needs("own.invite")
def invite(request: PageRequest) -> HttpResponse:
    """Three taps: who, when, done. The link is shown once, to be shared."""
    chosen = person_id(request)
    whose = privacy.subject(request.actor, chosen, "visitors.invite")
    lived = homes(whose.pk)
    form, status = FormState(values=request.POST.dict() or {"kind": "visitor", "span": "2h", "maximum": "1"}), 200
    if request.method == "POST":
        made, status = tried(form, lambda: services.invite(request.actor, _draft(request, chosen, lived)))
        if made is not None:
            request.session[f"visit-{made.invitation.pk}"] = made.token
            return redirect("community:resident:visit", made.invitation.pk)
    context: dict[str, Any] = {
        "form": form,
        "kinds": Invitation.Kind.choices,
        "spans": _spans(),
        "days": [(code, name, code in request.POST.getlist("days")) for code, name in DAYS],
        "choices": [(home.pk, home_label(home)) for home in lived],
    }
    return shown(request, "community/resident/invite.html", status, tab="visitors", **context)


def _draft(request: PageRequest, chosen: int | None, lived: list[Any]) -> services.InviteDraft:
    sent = request.POST
    home = sent.get("household", "")
    number = int(home) if home.isdecimal() else (lived[0].pk if lived else 0)
    zone = ZoneInfo(lived[0].place.time_zone if lived else "Asia/Shanghai")
    since, until, windows = _when(sent, zone)
    passes = sent.get("maximum", "1")
    kind = sent.get("kind", "")
    if kind in ("courier", "food") and not windows:
        until = min(until, since + timedelta(hours=2))
    return services.InviteDraft(
        household=number,
        since=since,
        until=until,
        visitor=sent.get("visitor", ""),
        host=chosen,
        kind=kind,
        reason=sent.get("reason", ""),
        phone=sent.get("phone", ""),
        plate=sent.get("plate", ""),
        maximum=(20 if windows else int(passes)) if passes.isdecimal() else None,
        windows=windows,
    )


def _when(sent: Any, zone: ZoneInfo) -> tuple[datetime, datetime, list[dict[str, Any]]]:
    """From what was chosen: since, until, windows; Invalid names the field."""
    now = timezone.now().astimezone(zone)
    span = sent.get("span", "2h")
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), zone)
    if span == "today":
        return now, midnight, []
    if span == "tomorrow":
        return midnight, midnight + timedelta(days=1), []
    if span == "own":
        return _moment(sent, "since", zone), _moment(sent, "until", zone), []
    if span == "weekly":
        try:
            begins, ends = time.fromisoformat(sent.get("from", "")), time.fromisoformat(sent.get("to", ""))
        except ValueError:
            raise Invalid.one("from", _("Write the times like 09:00 and 11:30.")) from None
        days = [code for code, _name in DAYS if code in sent.getlist("days")]
        if not days:
            raise Invalid.one("days", _("Choose at least one day of the week."))
        window = {"days": days, "from": f"{begins:%H:%M}", "to": f"{ends:%H:%M}"}
        return now, now + timedelta(days=60), [window]
    return now, now + timedelta(hours=2), []


def _moment(sent: Any, name: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.fromisoformat(sent.get(name, "")).replace(tzinfo=zone)
    except ValueError:
        raise Invalid(FieldError(name, _("Choose day and time."))) from None


@needs("own.invite")
def visit(request: PageRequest, visit_id: int) -> HttpResponse:
    """One visit: its link to share (only right after it was made), how far it is, and what can be done."""
    found = selectors.own_one(request.actor, visit_id, person_id(request))
    token = request.session.pop(f"visit-{found.pk}", "")
    address = request.build_absolute_uri(reverse("community:visitors:link", args=[token])) if token else ""
    context: dict[str, Any] = {"visit": found, "home": home_label(found.household), "address": address}
    return shown(request, "community/resident/visit.html", tab="visitors", **context)


@require_POST
@needs("own.invite")
def act(request: PageRequest, visit_id: int) -> HttpResponse:
    """Answer the desk, withdraw, another link, has left, stays longer: one key each."""
    selectors.own_one(request.actor, visit_id, person_id(request))
    actor, name = request.actor, request.POST.get("act", "")
    acts = {
        "yes": lambda: services.answer(actor, visit_id, let_in=True),
        "no": lambda: services.answer(actor, visit_id, let_in=False),
        "withdraw": lambda: services.withdraw(actor, visit_id),
        "link": lambda: services.new_link(actor, visit_id),
        "left": lambda: services.has_left(actor, visit_id),
        "longer": lambda: services.stays_longer(actor, visit_id),
    }
    if name not in acts:
        raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(acts)})
    form = FormState()
    done, _status = tried(form, acts[name])
    if form.problem:
        messages.error(request, form.problem)
    elif name == "link":
        request.session[f"visit-{visit_id}"] = done.token
    elif name in ("yes", "no"):
        messages.success(request, _("The desk knows.") if name == "yes" else _("The desk sends them away."))
        return redirect("community:resident:home")
    return redirect("community:resident:visit", visit_id)
