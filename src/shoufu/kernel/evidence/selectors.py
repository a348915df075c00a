from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.cases.models import Case
from shoufu.kernel.evidence.models import Export, Hold
from shoufu.kernel.privacy.models import LegalHold

EXPORT, HOLD, UNBLURRED = "evidence.export", "evidence.hold", "evidence.unblurred"


def visible(actor: Actor) -> QuerySet[Export]:
    """Exports of the actor's places."""
    return limit(Export.objects.select_related("case", "place"), actor, EXPORT)


def get(actor: Actor, export_id: int) -> Export:
    """One export; NotFound where the actor may not see it."""
    found = visible(actor).filter(pk=export_id).first()
    if found is None:
        raise NotFound(_("There is no export %(id)s that you may see.") % {"id": export_id})
    return found


def of_case(actor: Actor, case: Case) -> list[Export]:
    """The exports of a case, newest first; the case itself is not read again."""
    found = list(visible(actor).select_related(None).filter(case=case))
    for export in found:
        export.case = case
    return found


def hold_of(case: Case) -> Hold | None:
    """The hold on a case, while it lasts. For every task that removes evidence."""
    return next(iter(Hold.objects.filter(case=case, lifted_at__isnull=True)[:1]), None)


def held_cases() -> QuerySet[Case]:
    """Ids of the cases under a hold, the evidence's own or an authority's, for `…exclude(case__in=held_cases())`."""
    own = Hold.objects.filter(lifted_at__isnull=True).values("case")
    ordered = LegalHold.objects.filter(released_at__isnull=True, until__gt=timezone.now()).values("case")
    return Case.objects.filter(Q(pk__in=own) | Q(pk__in=ordered)).values("pk")  # type: ignore[return-value]


def custody(actor: Actor, export: Export) -> list[AuditEntry]:
    """Who asked for, made, looked at, downloaded and deleted an export, oldest first: from the audit log."""
    get(actor, export.pk)
    rows = AuditEntry.objects.filter(object_type="evidence.export", object_id=str(export.pk))
    return list(rows.order_by("id"))


def case_custody(case: Case) -> list[AuditEntry]:
    """Who did or looked at what of a case and its pictures, oldest first; for the bundle."""
    media = [str(pk) for pk in case.evidence.filter(media__isnull=False).values_list("media_id", flat=True)]
    exports = [str(pk) for pk in Export.objects.filter(case=case).values_list("pk", flat=True)]
    about = (
        Q(object_type="cases.case", object_id=str(case.pk))
        | Q(object_type="media.mediaobject", object_id__in=media)
        | Q(object_type="evidence.export", object_id__in=exports)
    )
    return list(AuditEntry.objects.filter(about).order_by("id"))
