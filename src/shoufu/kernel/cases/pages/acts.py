from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.cases import selectors, services
from shoufu.kernel.cases.pages.panel import panel_context

Act = Callable[[PageRequest, int, int | None], Any]


def _version(request: PageRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isdigit() else None


def _dispatch(request: PageRequest, case_id: int, version: int | None) -> Any:
    receiver = request.POST.get("receiver", "")
    kind, _colon, value = receiver.partition(":")
    user_id = int(value) if kind == "user" and value.isdigit() else None
    role = value if kind == "role" else ""
    return services.dispatch(
        request.actor, case_id, version, user_id=user_id, role=role, text=request.POST.get("text", "")
    )


def _merge(request: PageRequest, case_id: int, version: int | None) -> Any:
    number = request.POST.get("into", "").strip()
    try:
        target = selectors.by_number(request.actor, number)
    except NotFound as error:
        raise Invalid.one("into", _("There is no case with this number; write it like C-20261123-0147.")) from error
    return services.merge(request.actor, case_id, version, into=target.pk)


ACTS: dict[str, Act] = {
    "acknowledge": lambda r, c, v: services.acknowledge(r.actor, c, v),
    "dispatch": _dispatch,
    "resolve": lambda r, c, v: services.resolve(r.actor, c, v, outcome=r.POST.get("outcome", "")),
    "close": lambda r, c, v: services.close(r.actor, c, v, text=r.POST.get("text", "")),
    "false_alarm": lambda r, c, v: services.false_alarm(r.actor, c, v, reason=r.POST.get("reason", "")),
    "merge": _merge,
    "reopen": lambda r, c, v: services.reopen(r.actor, c, v, reason=r.POST.get("reason", "")),
    "note": lambda r, c, v: services.note(r.actor, c, r.POST.get("text", "")),
    "feedback": lambda r, c, v: services.give_feedback(r.actor, c, r.POST.get("verdict", ""), r.POST.get("text", "")),
}


@require_POST
@needs("cases.handle")
def act(request: PageRequest, case_id: int, name: str) -> HttpResponseBase:
    """Carry out a step; refusals stand beside the field, and of two operators the second is told who was first."""
    if name not in ACTS:
        raise NotFound(_("There is no such action."))
    form, status = FormState(values=request.POST.dict()), 200
    try:
        ACTS[name](request, case_id, _version(request))
    except Conflict as refusal:
        form.problem, status = refusal.detail, 409
    except Invalid as refusal:
        form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
        form.values["open"] = name
    if "HX-Request" not in request.headers and status == 200:
        return redirect("cases:detail", case_id)
    context = panel_context(request, case_id, form) | {"page": request.POST.get("page", "detail")}
    if "HX-Request" not in request.headers:
        return render(request, "cases/detail.html", context, status=status)
    response = render(request, "cases/panel.html", context, status=status)
    response["HX-Trigger"] = "case-changed"
    return response
