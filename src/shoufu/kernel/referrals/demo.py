from django.db import transaction

from shoufu.kernel.access.models import RoleAssignment
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.parties.models import Organisation
from shoufu.kernel.places.demo import DISTRICT, SONGSHAN
from shoufu.kernel.places.models import Place
from shoufu.kernel.referrals import services
from shoufu.kernel.referrals.models import Destination

CENTRE = "huanggu-alarm"


@transaction.atomic
def load(actor: Actor) -> None:
    """The alarm centre works at its own console here; critical cases of Songshan go there by themselves."""
    if Destination.objects.filter(code=CENTRE).exists():
        return
    organisation = Organisation.objects.get(code=CENTRE)
    places = {place.code: place for place in Place.objects.filter(code__in=(DISTRICT, SONGSHAN))}
    RoleAssignment.objects.filter(role="alarm_officer", organisation__isnull=True).update(organisation=organisation)
    made = services.create_destination(
        actor,
        services.DestinationDraft(
            code=CENTRE,
            organisation_id=organisation.pk,
            place_id=places[DISTRICT].pk,
            name="皇姑区接警中心",
            name_en="Huanggu Alarm Centre",
            channel="console",
            restriction="仅限接警中心值班人员 Duty officers only",
            policy={"contact": "松山小区值班室 024-8600 0110"},
        ),
    ).row
    services.create_policy(
        actor,
        services.PolicyDraft(
            destination_id=made.pk,
            place_id=places[SONGSHAN].pk,
            name="紧急事件五分钟无人接警",
            severities=("critical",),
            after_minutes=5,
            active=True,
        ),
    )
    if "door.duress" in registry.case_kinds():
        services.create_policy(
            actor,
            services.PolicyDraft(
                destination_id=made.pk,
                place_id=places[SONGSHAN].pk,
                name="胁迫开门立即转报",
                kinds=("door.duress",),
                active=True,
            ),
        )
