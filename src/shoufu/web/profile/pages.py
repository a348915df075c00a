import json

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.access import selectors as access
from shoufu.kernel.access import services
from shoufu.kernel.base import registry
from shoufu.kernel.base.errors import Invalid, Problem
from shoufu.kernel.base.pages import FormState, PageRequest
from shoufu.kernel.cases.pages import role_label
from shoufu.kernel.notices import selectors as notices
from shoufu.kernel.notices import services as notice_services
from shoufu.kernel.notices.channels import web_push
from shoufu.kernel.privacy import selectors as privacy


def _page(request: PageRequest, form: FormState | None = None, token: str = "", status: int = 200) -> HttpResponse:
    actor = request.actor
    passkeys = Authenticator.objects.filter(user_id=actor.user_id or 0, type=Authenticator.Type.WEBAUTHN)
    context = {
        "form": form or FormState(),
        "token": token,
        "tokens": access.tokens(actor),
        "passkeys": passkeys,
        "roles": [(role_label(row.role), row.place) for row in access.assignments(actor).filter(user=actor.user_id)],
        "rights": sorted({right for grant in actor.grants for right in grant.permissions}),
        "endpoints": notices.endpoints(actor),
        "push_key": web_push.public_key(),
        "looks": privacy.looks(actor, most=10) if privacy.myself(actor) and actor.may_anywhere(privacy.OWN) else [],
        "role_count": len(registry.roles()),
    }
    return render(request, "shell/profile.html", context, status=status)


def profile(request: PageRequest) -> HttpResponse:
    """My language, theme, passkeys, tokens, where notices reach me, who looked at me."""
    return _page(request)


@require_POST
def preferences(request: PageRequest) -> HttpResponseBase:
    """Change language, theme, print size or shown name."""
    wanted = services.Preferences(
        display_name=request.POST.get("display_name"),
        language=request.POST.get("language"),
        theme=request.POST.get("theme"),
        large_print="large_print" in request.POST,
    )
    try:
        services.set_preferences(request.actor, wanted)
    except Invalid as refusal:
        errors = {error.field: str(error.message) for error in refusal.errors}
        return _page(request, FormState(request.POST.dict(), errors), status=422)
    messages.success(request, _("Saved"))
    return redirect("profile")


@require_POST
def make_token(request: PageRequest) -> HttpResponse:
    """Make an API token; its text is shown this once."""
    try:
        made = services.create_token(request.actor, request.POST.get("name", ""), request.POST.getlist("permissions"))
    except Invalid as refusal:
        errors = {error.field: str(error.message) for error in refusal.errors}
        return _page(request, FormState(request.POST.dict(), errors), status=422)
    return _page(request, token=made.token)


@require_POST
def revoke_token(request: PageRequest, token_id: int) -> HttpResponseBase:
    """Stop an API token."""
    services.revoke_token(request.actor, token_id)
    messages.success(request, _("The token works no more."))
    return redirect("profile")


@require_POST
def push(request: PageRequest) -> HttpResponseBase:
    """Let notices reach this browser by web push: the subscription as JSON."""
    try:
        subscription = json.loads(request.body)
    except ValueError as error:
        raise Problem(_("Not JSON"), status=400) from error
    notice_services.add_endpoint(request.actor, "web_push", subscription)
    return JsonResponse({"ok": True})


@require_POST
def remove_endpoint(request: PageRequest, endpoint_id: int) -> HttpResponseBase:
    """Stop notices to an address."""
    notice_services.remove_endpoint(request.actor, endpoint_id)
    messages.success(request, _("Notices no longer go there."))
    return redirect("profile")
