from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.privacy import declarations
from shoufu.kernel.privacy import services as privacy
from shoufu.scenes.community.resident import selectors, services
from shoufu.scenes.community.resident.pages.common import shown, tried


def _scopes() -> list[tuple[str, str]]:
    english = (get_language() or "").startswith("en")
    return [(one.code, one.name if english else one.name_zh) for one in declarations.scopes().values()]


@needs("own.request")
def family(request: PageRequest) -> HttpResponse:
    """Who may act for me and for whom I may act; let somebody of my home do it."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        number = request.POST.get("delegate", "")
        draft = privacy.GrantDraft(int(number) if number.isdecimal() else 0, request.POST.getlist("scopes"))
        _done, status = tried(form, lambda: privacy.grant(request.actor, draft))
        if status == 200:
            messages.success(request, _("Done. You can end it at any time."))
            return redirect("community:resident:family")
    names = dict(_scopes())
    found = selectors.family(request.actor)
    context = {
        "form": form,
        "for_me": [(one, [names.get(code, code) for code in one.scopes]) for one in found.for_me],
        "by_me": [(one, [names.get(code, code) for code in one.scopes]) for one in found.by_me],
        "housemates": selectors.housemates(request.actor),
        "scopes": [(code, name, code in request.POST.getlist("scopes")) for code, name in _scopes()],
    }
    return shown(request, "community/resident/family.html", status, tab="me", **context)


@require_POST
@needs("own.request")
def end(request: PageRequest, delegation_id: int) -> HttpResponse:
    """End a grant: by either of the two, at once."""
    privacy.withdraw(request.actor, delegation_id)
    messages.success(request, _("It ended just now."))
    return redirect("community:resident:family")


@needs("own.request")
def contacts(request: PageRequest) -> HttpResponse:
    """Whom to call in need."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        sent = request.POST
        known = int(sent["known"]) if sent.get("known", "").isdecimal() else None
        _done, status = tried(
            form, lambda: services.add_contact(request.actor, sent.get("name", ""), sent.get("phone", ""), known)
        )
        if status == 200:
            return redirect("community:resident:contacts")
    context = {
        "form": form,
        "contacts": selectors.contacts(request.actor),
        "known": [one.delegate for one in selectors.family(request.actor).for_me],
    }
    return shown(request, "community/resident/contacts.html", status, tab="me", **context)


@require_POST
@needs("own.request")
def remove(request: PageRequest, contact_id: int) -> HttpResponse:
    """No longer call somebody."""
    services.remove_contact(request.actor, contact_id)
    return redirect("community:resident:contacts")
