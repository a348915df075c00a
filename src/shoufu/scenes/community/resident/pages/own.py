from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.notices import selectors as inbox
from shoufu.kernel.notices import services as notices_services
from shoufu.kernel.privacy import declarations
from shoufu.kernel.privacy import selectors as privacy
from shoufu.kernel.privacy import services as privacy_services
from shoufu.scenes.community.resident import selectors
from shoufu.scenes.community.resident.pages.common import person_id, shown, tried


@needs("own.request")
def car(request: PageRequest) -> HttpResponse:
    """The registered cars of my homes."""
    return shown(request, "community/resident/car.html", vehicles=selectors.vehicles(request.actor, person_id(request)))


@needs("own.request")
def notices(request: PageRequest) -> HttpResponse:
    """My notices; seeing the page reads them."""
    rows = list(inbox.inbox(request.actor)[:50])
    answered = shown(request, "community/resident/notices.html", tab="notices", rows=rows)
    notices_services.mark_read(request.actor, [row.pk for row in rows])
    return answered


@needs("own.request")
def me(request: PageRequest) -> HttpResponse:
    """Everything about me: doors, family, privacy, the view, signing out."""
    return shown(request, "community/resident/me.html", tab="me")


@needs("own.request")
def looks(request: PageRequest) -> HttpResponse:
    """Who looked at my data and why; an objection is one tap."""
    chosen = person_id(request)
    if request.method == "POST":
        form, entry = FormState(), request.POST.get("entry", "")
        number = int(entry) if entry.isdecimal() else 0
        _done, status = tried(form, lambda: privacy_services.object_to(request.actor, number, person_id=chosen))
        if status == 200:
            messages.success(request, _("The property office must answer within 15 working days."))
        else:
            messages.error(request, form.problem or " ".join(form.errors.values()))
        return redirect("community:resident:looks")
    rows = privacy.looks(request.actor, chosen, most=100)
    return shown(request, "community/resident/looks.html", tab="me", rows=rows)


@needs("own.request")
def data(request: PageRequest) -> HttpResponse:
    """What I allow, what I asked, and the ways to a copy, a correction and an erasure."""
    chosen = person_id(request)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        _done, status = tried(form, lambda: _change(request, chosen))
        if status == 200:
            messages.success(request, _("Done."))
            return redirect("community:resident:data")
    english = (get_language() or "").startswith("en")
    allowed = [
        {
            "code": one.purpose.code,
            "name": one.purpose.name if english else one.purpose.name_zh,
            "text": one.purpose.text if english else one.purpose.text_zh,
            "without": one.purpose.without if english else one.purpose.without_zh,
            "given": one.given,
        }
        for one in privacy.consents(request.actor, chosen)
    ]
    asked = privacy.own_requests(request.actor, chosen) if _may_ask(request, chosen) else ()
    context = {"form": form, "allowed": allowed, "asked": asked, "scopes": declarations.scopes()}
    return shown(request, "community/resident/data.html", status, tab="me", **context)


def _may_ask(request: PageRequest, chosen: int | None) -> bool:
    return "requests.make" in selectors.scopes_of(request.actor, chosen)


def _change(request: PageRequest, chosen: int | None) -> object:
    sent, actor = request.POST, request.actor
    if purpose := sent.get("allow", ""):
        return privacy_services.give_consent(actor, purpose, chosen)
    if purpose := sent.get("withdraw", ""):
        return privacy_services.withdraw_consent(actor, purpose, chosen)
    if "correct" in sent:
        wanted = {name: sent.get(name, "") for name in ("name", "phone")}
        return privacy_services.ask_correction(actor, wanted, sent.get("text", ""), chosen)
    return privacy_services.ask_erasure(actor, sent.get("text", ""), chosen)
