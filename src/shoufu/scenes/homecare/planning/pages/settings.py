from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from shoufu.kernel.base.pages import PageRequest, needs, tried
from shoufu.scenes.homecare.planning import selectors, services
from shoufu.scenes.homecare.planning.models import Policy
from shoufu.scenes.homecare.register.pages.fields import Field, Reader, state


def _fields() -> tuple[Field, ...]:
    return (
        Field(
            "window_minutes", _("A visit may begin up to so many minutes after the promised time"), "number",
            hint=_("Promises that were made stand; it counts for new bookings."),
        ),
        Field("break_minutes", _("Minutes of the midday rest (0: none)"), "number"),
        Field("break_earliest", _("The rest begins at the earliest at"), "time"),
        Field("break_latest", _("The rest begins at the latest at"), "time"),
        Field(
            "grace_minutes", _("Minutes after the promise until coordinators are told"), "number",
            hint=_("A visit that has not begun by then is told to the institution's coordinators."),
        ),
    )  # fmt: skip


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@needs(selectors.PLAN)
def settings(request: PageRequest, institution_id: int) -> HttpResponse:
    """How an institution plans its days."""
    office = selectors.office(request.actor, institution_id)
    known, fields = selectors.policy(office), _fields()
    initial = {
        "window_minutes": known.window_minutes,
        "break_minutes": known.break_minutes,
        "break_earliest": _clock(known.break_earliest),
        "break_latest": _clock(known.break_latest),
        "grace_minutes": known.grace_minutes,
    }
    form, status = state(request, fields, **initial), 200
    if request.method == "POST":
        saved, status = tried(form, lambda: _save(request, office.pk))
        if saved is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:planning:settings", office.pk)
    context = {"form": form, "fields": fields, "office": office}
    return render(request, "homecare/planning/settings.html", context, status=status)


def _save(request: PageRequest, office_id: int) -> Policy:
    sent = Reader(request.POST.dict())
    first, last = sent.clock("break_earliest"), sent.clock("break_latest")
    draft = services.PolicyDraft(
        sent.number("window_minutes"),
        first.hour * 60 + first.minute,
        last.hour * 60 + last.minute,
        sent.number("break_minutes"),
        sent.number("grace_minutes"),
    )
    sent.check()
    return services.set_policy(request.actor, office_id, draft)
