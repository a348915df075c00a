from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits.models import Stop, Visit


def _rows() -> QuerySet[Visit]:
    stops = Stop.objects.select_related("practitioner__person", "practitioner__institution").order_by("task")
    rows = Visit.objects.select_related(
        "patient__person", "patient__household", "place", "institution__place", "institution__organisation",
        "service", "version", "order", "booking",
    )  # fmt: skip
    return rows.defer("note", "patient__access", "patient__health").prefetch_related(Prefetch("stops", stops))


def visits(actor: Actor) -> QuerySet[Visit]:
    """Visits to the patients whom the actor cares for, and those to which the plan sends them; nothing of the note."""
    rows = _rows()
    if actor.is_system:
        return rows
    cared = rows.filter(patient__in=register.patients(actor, ended=True).values("pk"))
    return cared | rows.filter(pk__in=sent_to(actor).values("pk"))


def sent_to(actor: Actor) -> QuerySet[Visit]:
    """Visits to which the plan sends the actor themselves."""
    stops = Stop.objects.filter(practitioner__in=register.practices(actor).values("pk"))
    return _rows().filter(pk__in=stops.values("visit"))


def own(actor: Actor) -> QuerySet[Visit]:
    """The actor's own visits, and those of people for whom they may act."""
    return _rows().filter(patient__in=register.own(actor).values("pk"))


def visit(actor: Actor, visit_id: int, *, mine: bool = False) -> Visit:
    """One of them; NotFound otherwise."""
    found = (own(actor) if mine else visits(actor)).filter(pk=visit_id).first()
    if found is None:
        raise NotFound(_("There is no visit %(id)s that you may see.") % {"id": visit_id})
    return found
