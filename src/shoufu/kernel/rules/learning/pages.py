"""Rules › Proposals: what outcomes say about rules, one card a number, with a trial and a way to put it off."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.kernel.rules import selectors as rules
from shoufu.kernel.rules.learning import selectors, services


@require_safe
@needs("rules.view")
def listing(request: PageRequest) -> HttpResponse:
    """The proposals of the scope, or of one rule (`rule`)."""
    return _page(request)


def _page(request: PageRequest, problem: str = "", status: int = 200) -> HttpResponse:
    chosen = request.GET.get("rule", "")
    rule = rules.get(request.actor, int(chosen)) if chosen.isdigit() else None
    path = request.scope.path if rule is None else ""
    found = selectors.proposals(request.actor, path, rule.pk if rule else None)
    context = {
        "rule": rule,
        "offered": [one for one in found if one.open_offers],
        "put_off": [one for one in found if one.put_off],
        "rest": [one for one in found if not one.open_offers and not one.put_off],
        "studied": found,
        "may_manage": request.actor.may_anywhere("rules.manage"),
        "managed": {one.rule.pk for one in found if request.actor.may("rules.manage", one.rule.place.path)},
        "problem": problem,
    }
    return render(request, "rules/proposals.html", context, status=status)


@require_POST
@needs("rules.manage")
def try_one(request: PageRequest, rule_id: int) -> HttpResponseBase:
    """Make a draft of a proposal and rehearse it on the past weeks; goes to the rule's page, which shows progress."""
    text = request.POST.get("value", "")
    try:
        value = float(text) if text else None
    except ValueError as error:
        raise Invalid.one("value", _("Must be a number.")) from error
    services.try_proposal(request.actor, rule_id, request.POST.get("pointer", ""), value)
    return redirect("rules:detail", rule_id)


@require_POST
@needs("rules.manage")
def decline(request: PageRequest, rule_id: int) -> HttpResponseBase:
    """Put a proposal off, with a reason."""
    try:
        services.decline(request.actor, rule_id, request.POST.get("pointer", ""), request.POST.get("reason", ""))
    except Invalid as refusal:
        return _page(request, " ".join(str(error.message) for error in refusal.errors), status=422)
    messages.success(request, _("Put off. It comes back when there are new outcomes."))
    return redirect("rules:proposals")


@require_POST
@needs("rules.manage")
def recount(request: PageRequest) -> HttpResponseBase:
    """Have the outcomes of the rules in the scope counted again."""
    rows = rules.listed(request.actor, place_path=request.scope.path, state="live")
    count = services.recount(request.actor, list(rows.values_list("pk", flat=True)[: selectors.MOST]))
    text = ngettext(
        "The outcomes of %(n)d rule are counted anew; the page shows them in a moment.",
        "The outcomes of %(n)d rules are counted anew; the page shows them in a moment.",
        count,
    )
    messages.success(request, text % {"n": count})
    return redirect("rules:proposals")
