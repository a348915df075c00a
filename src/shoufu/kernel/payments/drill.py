from datetime import timedelta

from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """An order of an institution of the estate, paid in cash, partly paid back, settled; another one to be paid."""
    from shoufu.kernel.payments import services
    from shoufu.kernel.payments.models import Difference, ProviderEvent, Reconciliation

    person, place, now = estate.row("parties.Person"), estate.place.pk, timezone.now()
    institution = estate.row("parties.Organisation").pk
    today = timezone.localdate()
    services.set_shares(SYSTEM, institution, today - timedelta(days=9), [services.Share("performer", 10_000)])
    lines = [services.LineDraft(estate.mark(), 1_000, insurance_minor=100, item=estate.mark())]
    made = [
        services.create_order(
            SYSTEM,
            services.OrderDraft(
                place, institution, estate.mark(), lines, person.pk, person.pk, estate.mark(), key=estate.mark()
            ),
        )
        for _ in range(2)
    ]
    services.confirm_offline(SYSTEM, made[0].pk, 900, estate.mark())
    services.draft_settlement(SYSTEM, institution, today - timedelta(days=1), today + timedelta(days=1))
    services.request_refund(SYSTEM, services.RefundDraft(made[0].pk, 100, estate.mark(), key=estate.mark()))
    Difference.objects.create(
        provider="wechat", kind="amount", day=today, place=estate.place, order=made[0], trade=estate.mark(),
        text=estate.mark(), found_at=now,
    )  # fmt: skip
    # Nobody's but the provider's: what no page shows.
    ProviderEvent.objects.create(
        provider="wechat", identifier=estate.mark(), digest=estate.mark(), received_at=now, signed_at=now,
        trade=estate.mark(), fact={}, outcome="noted",
    )  # fmt: skip
    day = today - timedelta(days=400 + Reconciliation.objects.count())
    Reconciliation.objects.create(provider="wechat", day=day, at=now, lines=0, ours_minor=0, theirs_minor=0)


neighbours = Neighbours(
    seed,
    values={
        "provider": ("wechat",),
        "step": ("refund", "confirm", "cancel", "pay", "drop"),
        "currency": ("CNY",),
        "resolution": ("explained",),
        "payee": ("institution",),
        "points": ("10000",),
        "since": ("2026-11-01",),
        "until": ("2026-11-02",),
        "day": ("2026-11-01",),
        "state": ("paid",),
        "open": ("open",),
        "amount": ("1.00",),
    },
    shared=frozenset({"Account", "Reconciliation"}),
)
