from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base import registry
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.lists import Column, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.cases.models import Severity
from shoufu.kernel.parties.models import Organisation
from shoufu.kernel.places.models import Place
from shoufu.kernel.referrals import selectors, services
from shoufu.kernel.referrals.models import Destination, Policy
from shoufu.kernel.referrals.services.destinations import DestinationDraft
from shoufu.kernel.referrals.services.policies import PolicyDraft
from shoufu.kernel.referrals.terms import read_terms

NUMBERS = ("receive_minutes", "heartbeat_minutes", "outage_minutes")


@needs("referrals.view")
def destinations(request: PageRequest) -> HttpResponseBase:
    """Who takes cases over, and how their lines are."""
    page = ListPage(
        title=_("Who takes cases over"),
        name="destinations",
        row="referrals/destination_row.html",
        template="referrals/destinations.html",
        empty=_("Add the alarm centre that serves this place: its own console here, or a signed webhook."),
        columns=(
            Column("name", _("Name"), "name", lambda d: d.name),
            Column("place", _("Serves"), "place__path", lambda d: d.place.name),
            Column("channel", _("Way"), "channel", lambda d: d.get_channel_display()),
            Column("line", _("Connection"), csv=lambda d: d.failing_since or d.heard_at or ""),
            Column("tested", _("Last test"), "tested_at", lambda d: d.tested_at or ""),
        ),
    )
    return answer(request, page, selectors.destinations(request.actor))


def _number(text: str) -> int:
    return int(text) if text.isdigit() else -1


def _destination_draft(request: PageRequest) -> DestinationDraft:
    given = request.POST
    terms = {name: _number(given.get(name, "")) for name in NUMBERS}
    return DestinationDraft(
        code=given.get("code", ""),
        organisation_id=max(0, _number(given.get("organisation", ""))),
        place_id=max(0, _number(given.get("place", ""))),
        name=given.get("name", ""),
        name_en=given.get("name_en", ""),
        channel=given.get("channel", ""),
        body=given.get("body", "cap"),
        url=given.get("url", ""),
        second_url=given.get("second_url", ""),
        restriction=given.get("restriction", ""),
        policy={
            **terms,
            "closes": "closes" in given,
            "test_at": given.get("test_at", ""),
            "contact": given.get("contact", ""),
        },
    )


def _destination_values(row: Destination | None) -> dict[str, Any]:
    if row is None:
        return read_terms({}).as_dict() | {"channel": "console", "body": "cap"}
    names = ("code", "name", "name_en", "channel", "body", "url", "second_url", "restriction")
    own = {name: getattr(row, name) for name in names}
    return own | {"organisation": row.organisation_id, "place": row.place_id} | read_terms(row.policy).as_dict()


@needs("referrals.manage")
def edit_destination(request: PageRequest, destination_id: int | None = None) -> HttpResponseBase:
    """Add or change a destination; its secrets are shown once."""
    row = selectors.destination(request.actor, destination_id) if destination_id else None
    form, status, made = FormState(values=_destination_values(row)), 200, None
    if request.method == "POST":
        form.values = request.POST.dict() | {"closes": "closes" in request.POST}
        try:
            if row is None:
                made = services.create_destination(request.actor, _destination_draft(request))
                row = made.row
            else:
                version = _number(request.POST.get("version", ""))
                services.update_destination(request.actor, row.pk, _destination_draft(request), version)
                messages.success(request, _("Saved."))
                return redirect("referrals:destinations")
        except Conflict as refusal:
            form.problem, status = refusal.detail, 409
        except Invalid as refusal:
            form.errors = {error.field.removeprefix("policy."): str(error.message) for error in refusal.errors}
            status = 422
    return _destination_page(request, row, form, status, made)


def _destination_page(
    request: PageRequest, row: Destination | None, form: FormState, status: int = 200, made: Any = None
) -> HttpResponseBase:
    places = limit(Place.objects.all(), request.actor, "referrals.manage", "path")
    context = {
        "row": row,
        "form": form,
        "made": made,
        "places": places.filter(kind__in=["district", "block", "compound"]),
        "organisations": Organisation.objects.filter(
            place__in=limit(Place.objects.all(), request.actor, "places.view", "path")
        ),
        "channels": Destination.Channel.choices,
        "bodies": Destination.Body.choices,
        "sent": selectors.recent_messages(request.actor, row) if row else [],
    }
    return render(request, "referrals/destination.html", context, status=status)


@require_POST
@needs("referrals.manage")
def act_destination(request: PageRequest, destination_id: int, name: str) -> HttpResponseBase:
    """Test the line now, pause, resume, or make new secrets."""
    row = selectors.destination(request.actor, destination_id)
    if name == "test":
        services.send_test(request.actor, row.pk)
        messages.success(request, _("A marked test is on its way."))
    elif name in ("pause", "resume"):
        services.set_active(request.actor, row.pk, active=name == "resume")
    elif name == "secrets":
        made = services.renew_secrets(request.actor, row.pk)
        return _destination_page(request, made.row, FormState(values=_destination_values(made.row)), made=made)
    else:
        raise NotFound(_("There is no such action."))
    return redirect("referrals:destination", row.pk)


@needs("referrals.view")
def policies(request: PageRequest) -> HttpResponseBase:
    """Which cases go to whom by themselves."""
    page = ListPage(
        title=_("Sent by itself"),
        name="policies",
        row="referrals/policy_row.html",
        template="referrals/policies.html",
        empty=_("Nothing is sent by itself. Add a policy: which kinds, how severe, after how long."),
        columns=(
            Column("name", _("Name"), "name", lambda p: p.name),
            Column("place", _("Where"), "place__path", lambda p: p.place.name),
            Column("what", _("Which cases"), csv=lambda p: ", ".join([*p.severities, *p.kinds])),
            Column("to", _("Referred to"), "destination__name", lambda p: p.destination.name),
            Column("state", _("State"), "active", lambda p: p.active),
        ),
    )
    return answer(request, page, selectors.policies(request.actor))


def _policy_draft(request: PageRequest) -> PolicyDraft:
    given = request.POST
    return PolicyDraft(
        destination_id=max(0, _number(given.get("destination", ""))),
        place_id=max(0, _number(given.get("place", ""))),
        name=given.get("name", ""),
        kinds=given.getlist("kinds"),
        severities=given.getlist("severities"),
        escalation=_number(given.get("escalation", "0")),
        after_minutes=_number(given.get("after_minutes", "0")),
        active="active" in given,
    )


def _policy_values(row: Policy | None) -> dict[str, Any]:
    if row is None:
        return {"severities": ["critical"], "kinds": [], "escalation": 0, "after_minutes": 0}
    names = ("name", "kinds", "severities", "escalation", "after_minutes", "active")
    own = {name: getattr(row, name) for name in names}
    return own | {"destination": row.destination_id, "place": row.place_id}


@needs("referrals.manage")
def edit_policy(request: PageRequest, policy_id: int | None = None) -> HttpResponseBase:
    """Write a policy down or change it."""
    row = selectors.policy(request.actor, policy_id) if policy_id else None
    form, status = FormState(values=_policy_values(row)), 200
    if request.method == "POST":
        lists = {name: request.POST.getlist(name) for name in ("kinds", "severities")}
        form.values = request.POST.dict() | lists
        try:
            if row is None:
                services.create_policy(request.actor, _policy_draft(request))
            else:
                version = _number(request.POST.get("version", ""))
                services.update_policy(request.actor, row.pk, _policy_draft(request), version)
            messages.success(request, _("Saved."))
            return redirect("referrals:policies")
        except Conflict as refusal:
            form.problem, status = refusal.detail, 409
        except Invalid as refusal:
            form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
    english = request.actor.language == "en"
    places = limit(Place.objects.all(), request.actor, "referrals.manage", "path")
    context = {
        "row": row,
        "form": form,
        "places": places.filter(kind__in=["district", "block", "compound"]),
        "destinations": selectors.destinations(request.actor).filter(active=True),
        "severities": Severity.choices,
        "kinds": [(code, kind.name_en if english else kind.name) for code, kind in registry.case_kinds().items()],
    }
    return render(request, "referrals/policy.html", context, status=status)


@require_POST
@needs("referrals.manage")
def remove_policy(request: PageRequest, policy_id: int) -> HttpResponseBase:
    """Remove a policy; what it sent stays."""
    services.remove_policy(request.actor, policy_id)
    return redirect("referrals:policies")
