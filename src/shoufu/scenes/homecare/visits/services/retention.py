from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat, Greatest

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.evidence.selectors import held_cases
from shoufu.kernel.payments.models import Order, Payment, Refund
from shoufu.scenes.homecare.visits.models import RETENTION_DAYS, Prescription, Visit
from shoufu.scenes.homecare.visits.orders import SOURCE

MOST = 5_000


def held_visits() -> QuerySet[Visit]:
    """Visits at which a case began that a hold keeps, the evidence's own or an authority's; for every task that removes
    what was written at visits."""
    cases = held_cases()
    return Visit.objects.filter(Q(overdue__case__in=cases) | Q(sos__case__in=cases))


@transaction.atomic
def forget(now: datetime, most: int = MOST) -> int:
    """Remove visits 15 years after they ended, with their plan and history, and prescriptions 15 years after their last
    day once no visit rests on them; how many rows. At most so many visits a night.

    Orders and books stay (thirty years): they name the visit by number. A visit stays while what was written there
    does, while its money, a complaint or an adverse event is open, and while a hold keeps its case.
    """
    old = now - timedelta(days=RETENTION_DAYS)
    ended = Greatest(Coalesce("ended_at", "latest_at"), "latest_at")
    rows = Visit.objects.annotate(over_at=ended).filter(over_at__lt=old, money_due_at__isnull=True)
    rows = rows.filter(encounters__isnull=True, operations__isnull=True).exclude(_money_open())
    rows = rows.exclude(pk__in=held_visits().values("pk")).exclude(_looked_into())
    numbers = list(rows.order_by("pk").values_list("pk", flat=True)[:most])
    removed = Visit.objects.filter(pk__in=numbers).delete()[0]
    removed += Prescription.objects.filter(last_day__lt=old.date(), visits__isnull=True).delete()[0]
    if removed:
        record(SYSTEM, Act("homecare.visit.retention", data={"rows": removed}))
    return removed


def _looked_into() -> Q:
    """Whether a complaint or an adverse event of the visit is not closed yet."""
    complaints = Visit.objects.filter(complaints__isnull=False, complaints__ended_at__isnull=True)
    incidents = Visit.objects.filter(incidents__isnull=False, incidents__closed_at__isnull=True)
    return Q(pk__in=complaints.values("pk")) | Q(pk__in=incidents.values("pk"))


def _money_open() -> Exists:
    """Whether an order of the visit waits to be paid, or money of one is still to go back."""
    source = Concat(Value(SOURCE), Cast(OuterRef("pk"), CharField()))
    going = Refund.objects.filter(payment__order=OuterRef("pk"), state__in=Refund.UNDER_WAY)
    surplus = Payment.objects.filter(
        order=OuterRef("pk"), state=Payment.State.SURPLUS, refunded_minor__lt=F("received_minor")
    )
    waits = Q(state__in=Order.OPEN) | Exists(going) | Exists(surplus)
    return Exists(Order.objects.filter(waits, source=source))
