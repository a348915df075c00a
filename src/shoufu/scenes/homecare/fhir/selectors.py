from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, subtree
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Forbidden, NotFound
from shoufu.kernel.places.models import Place
from shoufu.scenes.homecare.fhir.models import BulkExport, Refusal, Stored
from shoufu.scenes.homecare.register import selectors as register

READ, WRITE, EXPORT = "homecare.fhir.read", "homecare.fhir.write", "homecare.fhir.export"


def stored(actor: Actor) -> QuerySet[Stored]:
    """What other programs put here, of the actor's places and institution; deleted ones included.

    What belongs to no institution is seen by who works for the whole place, and by who put it there.
    """
    rows = Stored.objects.all()
    if actor.is_system:
        return rows
    offices = register.offices(actor)
    own = Q(institution__isnull=True, made_by=actor.user_id) if actor.user_id is not None else Q(pk__in=[])
    whose = Q(institution__in=offices) | own if offices else Q()
    return limit(rows, actor, READ).filter(whose)


def widest(actor: Actor, permission: str) -> Place:
    """The widest place where the actor has a right: where what is of no institution counts. Forbidden without one."""
    rows = Place.objects.order_by("depth", "path")
    if not actor.is_system:
        rows = rows.filter(path__in=actor.paths(permission))
    found = rows.first()
    if found is None:
        raise Forbidden(_("You need the right “%(right)s”.") % {"right": permission})
    return found


def exports(actor: Actor) -> QuerySet[BulkExport]:
    """The actor's own exports, and those of their places for who answers for the place."""
    rows = BulkExport.objects.select_related("asked_by", "place")
    if actor.is_system:
        return rows
    own = Q(asked_by=actor.user_id) if actor.user_id is not None else Q(pk__in=[])
    if register.offices(actor):
        return rows.filter(own)
    return rows.filter(own | subtree(actor.paths(EXPORT)))


def export(actor: Actor, export_id: UUID) -> BulkExport:
    """One of the actor's own exports: files are for whoever asked for them. NotFound otherwise."""
    found = exports(actor).filter(pk=export_id, asked_by=actor.user_id).first()
    if found is None:
        raise NotFound(_("There is no such export, or it was deleted."))
    return found


def refusals(actor: Actor) -> QuerySet[Refusal]:
    """What was refused in the last thirty days: to the actor, to who works for the same institution, and in the actor's
    places for who answers for them."""
    since = timezone.now() - timedelta(days=Refusal.RETENTION_DAYS)
    rows = Refusal.objects.select_related("user").filter(at__gte=since)
    if actor.is_system:
        return rows
    own = Q(user=actor.user_id) if actor.user_id is not None else Q(pk__in=[])
    if offices := register.offices(actor):
        return rows.filter(own | Q(user__person__memberships__organisation__homecare__in=offices)).distinct()
    return rows.filter(own | subtree(actor.paths(READ)))
