from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists import Bulk, Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.doors import selectors, services
from shoufu.kernel.doors.models import AccessLevel, Credential, Technology
from shoufu.kernel.doors.pages.common import act_and_return, attempt, compounds, moment, number
from shoufu.kernel.doors.services import CredentialDraft
from shoufu.kernel.doors.services.common import MANAGE, VIEW
from shoufu.kernel.parties import selectors as parties

STATES = {"suspend": services.suspend, "restore": services.restore, "lose": services.lose, "revoke": services.revoke}
LEASES = (7, 14, 30)


def list_page(may_manage: bool) -> ListPage:
    state = {name: reverse("doors:credential-state", args=[name]) for name in STATES}
    return ListPage(
        title=_("Credentials"),
        name="credentials",
        row="doors/credential_row.html",
        template="doors/list.html",
        empty=_("Cards, PINs, phones and faces appear here once they are issued."),
        columns=(
            Column("holder", _("Whose"), "person__name,holder", lambda c: c.person.name if c.person else c.holder),
            Column("technology", _("What"), "technology", lambda c: c.get_technology_display()),
            Column("label", _("Label"), "label", lambda c: c.label),
            Column("place", _("Where"), "place__path", lambda c: c.place.label),
            Column("until", _("Until"), "valid_until", lambda c: c.valid_until),
            Column("state", _("State"), "state", lambda c: c.get_state_display()),
            Column("since", _("Since"), "state_since", lambda c: c.state_since),
        ),
        filters=(
            Filter("text", _("Name or label"), _text),
            Filter("technology", _("What"), lambda rows, value: rows.filter(technology=value), Technology.choices),
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Credential.State.choices),
        ),
        bulk=(
            Bulk(_("Revoke"), state["revoke"], "x", _("Why")),
            Bulk(_("Suspend"), state["suspend"], "player-pause"),
            Bulk(_("Report as lost"), state["lose"], "alert-circle"),
            Bulk(_("Let open again"), state["restore"], "check"),
        )
        if may_manage
        else (),
    )


def _text(rows: Any, value: str) -> Any:
    return rows.filter(Q(person__name__icontains=value) | Q(holder__icontains=value) | Q(label__icontains=value))


@needs(VIEW)
def listing(request: PageRequest) -> HttpResponseBase:
    """Credentials of the scope; a card's number as a whole finds its row (and is not shown)."""
    rows = selectors.credentials(request.actor, request.scope.path)
    card = request.GET.get("card", "").strip()
    if card:
        rows = rows.filter(pk__in=[row.pk for row in selectors.find_card(request.actor, card)[:20]])
    may_manage = request.actor.may_anywhere(MANAGE)
    return answer(
        request, list_page(may_manage), rows.order_by("-pk"), tab="credentials", may_manage=may_manage, card=card
    )


@require_POST
@needs(MANAGE)
def state(request: PageRequest, name: str) -> HttpResponseBase:
    """Bring the picked credentials into another state, with a reason."""
    ids = [int(one) for one in request.POST.getlist("ids") if one.isdigit()]
    if name not in STATES:
        raise Invalid.one("state", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(STATES)})
    back = request.POST.get("back", "")
    where = ("doors:credential", int(back)) if back.isdigit() else ("doors:credentials",)
    return act_and_return(
        request,
        lambda: STATES[name](request.actor, ids, request.POST.get("reason", "")),
        _("Done; the doors are told at once."),
        *where,
    )


@needs(VIEW)
def detail(request: PageRequest, credential_id: int) -> HttpResponseBase:
    """One credential: what it opens, and which doors have forgotten it."""
    row = selectors.credential(request.actor, credential_id)
    return render(
        request,
        "doors/credential.html",
        {
            "credential": row,
            "doors": selectors.doors_for(request.actor, row.person_id) if row.person_id else [],
            "own_levels": AccessLevel.objects.filter(assignments__credential=row),
            "receipts": row.receipts.select_related("controller__device")[:50],
            "may_manage": request.actor.may(MANAGE, row.place.path),
            "tab": "credentials",
        },
    )


@needs(MANAGE)
def new(request: PageRequest) -> HttpResponseBase:
    """Issue a credential to a person, or to somebody who is only named."""
    form = FormState(values={"technology": "card", "lease_days": "14", "person": request.GET.get("person", "")})
    if request.method == "POST":
        issued: list[services.Issued] = []
        refused = attempt(request, lambda: issued.append(services.issue(request.actor, _draft(request))), _("Issued."))
        if refused is None:
            if issued[0].credential.technology == Technology.PIN:
                words = _("The PIN is %(pin)s. It is shown this once; hand it over now.") % {"pin": issued[0].value}
                messages.warning(request, words)
            return redirect("doors:credential", issued[0].credential.pk)
        form = refused
    found = parties.people(request.actor).filter(place__path__startswith=request.scope.path)
    words = request.GET.get("who", "").strip()
    chosen = str(form.values.get("person") or "")
    people = found.filter(name__icontains=words) if words else found.none()
    if chosen.isdigit():
        people = found.filter(pk=int(chosen))
    context = {
        "form": form,
        "who": words,
        "people": people[:50],
        "places": compounds(request, MANAGE),
        "technologies": [one for one in Technology.choices if one[0] != Technology.QR],
        "levels": selectors.levels(request.actor, request.scope.path).order_by("place__path", "code")[:200],
        "leases": LEASES,
        "tab": "credentials",
    }
    return render(request, "doors/issue.html", context, status=422 if request.method == "POST" else 200)


def _draft(request: PageRequest) -> CredentialDraft:
    given = request.POST
    return CredentialDraft(
        place=number(given.get("place", ""), "place") or 0,
        technology=given.get("technology", ""),
        value=given.get("value", "").strip(),
        person=number(given.get("person", ""), "person"),
        holder=given.get("holder", ""),
        label=given.get("label", ""),
        valid_until=moment(given.get("valid_until", ""), "valid_until"),
        lease_days=number(given.get("lease_days", "14"), "lease_days") or 0,
        levels=tuple(int(one) for one in given.getlist("levels") if one.isdigit()),
        extended=given.get("extended") == "1",
        duress=given.get("duress") == "1",
    )
