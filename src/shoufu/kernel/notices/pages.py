from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.lists import Bulk, Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.kernel.notices import selectors, services
from shoufu.kernel.notices.models import Channel, Notice


def _columns(deliveries: bool) -> tuple[Column, ...]:
    shared = (
        Column("subject", _("Notice"), "", lambda n: n.subject),
        Column("place", _("Where"), "", lambda n: n.place.label if n.place else ""),
        Column("created", _("When"), "created_at", lambda n: n.created_at),
        Column("state", _("State"), "state", lambda n: n.get_state_display()),
    )
    more = (
        Column("user", _("To"), "", lambda n: n.user.label if n.user else ""),
        Column("channel", _("Channel"), "channel", lambda n: n.get_channel_display()),
        Column("error", _("Error"), "", lambda n: n.error),
    )
    return shared + more if deliveries else shared


@needs("notices.view")
def inbox(request: PageRequest) -> HttpResponseBase:
    """The actor's own notices."""
    from django.urls import reverse

    page = ListPage(
        title=_("Notices"),
        name="notices",
        row="notices/row.html",
        template="notices/list.html",
        default_sort="-created",
        empty=_("Notices about cases at your places appear here."),
        columns=_columns(False),
        filters=(Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Notice.State.choices),),
        bulk=(Bulk(_("Mark as read"), reverse("notices:read"), "check"),),
    )
    return answer(request, page, selectors.inbox(request.actor), tab="inbox")


@needs("notices.manage")
def deliveries(request: PageRequest) -> HttpResponseBase:
    """Every notice about the managed places, with how far it came."""
    page = ListPage(
        title=_("Deliveries"),
        name="deliveries",
        row="notices/row.html",
        template="notices/list.html",
        default_sort="-created",
        empty=_("Notices that were sent about your places appear here."),
        columns=_columns(True),
        filters=(
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Notice.State.choices),
            Filter("channel", _("Channel"), lambda rows, value: rows.filter(channel=value), Channel.choices),
        ),
    )
    return answer(request, page, selectors.deliveries(request.actor), tab="deliveries")


@require_POST
@needs("notices.view")
def read(request: PageRequest) -> HttpResponseBase:
    """Mark the picked notices as read."""
    from uuid import UUID

    ids = []
    for text in request.POST.getlist("ids"):
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    services.mark_read(request.actor, ids)
    return redirect("notices:inbox")
