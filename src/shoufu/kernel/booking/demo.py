from datetime import date, time

from django.db import transaction

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.booking import services
from shoufu.kernel.booking.models import Offering
from shoufu.kernel.parties.models import Organisation
from shoufu.kernel.places.demo import SONGSHAN
from shoufu.kernel.places.models import Place

DAILY = services.RuleDraft("FREQ=DAILY", time(8), time(21), since=date(2026, 1, 1))
WEEKDAYS = services.RuleDraft("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", time(9), time(18), since=date(2026, 1, 1))
SATURDAYS = services.RuleDraft("FREQ=WEEKLY;BYDAY=SA", time(9), time(11), since=date(2026, 1, 1))
COURT_POLICY = {"steps": [{"hours": 24, "percent": 0}, {"hours": 2, "percent": 50}], "move_hours": 2}


@transaction.atomic
def load(actor: Actor) -> None:
    """What the property office of Songshan lends: two badminton courts, the meeting room, and a tai chi morning."""
    if Offering.objects.filter(code="songshan-badminton").exists():
        return
    place = Place.objects.get(code=SONGSHAN)
    office = Organisation.objects.filter(kind=Organisation.Kind.PROPERTY, place=place).order_by("pk").first()
    owner = office.pk if office is not None else None

    def resource(code: str, kind: str, name: str, name_en: str, rule: services.RuleDraft) -> services.ResourceDraft:
        return services.ResourceDraft(
            f"songshan-{code}", kind, name, place.pk, name_en, organisation=owner, rules=[rule]
        )

    first, second, room, square = services.create_resources(
        actor,
        [
            resource("court-1", "court", "羽毛球 1 号场", "Badminton court 1", DAILY),
            resource("court-2", "court", "羽毛球 2 号场", "Badminton court 2", DAILY),
            resource("meeting", "room", "业主会议室", "Residents' meeting room", WEEKDAYS),
            resource("square", "other", "中心广场", "Central square", SATURDAYS),
        ],
    )

    def offer(code: str, name: str, name_en: str, terms: services.TermsDraft, *pool: int) -> None:
        needs = [services.RequirementDraft(pool, name, name_en)]
        services.create_offering(
            actor,
            services.OfferingDraft(f"songshan-{code}", place.pk, name, terms, needs, name_en, organisation=owner),
        )

    court = services.TermsDraft(60, most_units=2, horizon_days=14, price=2000, policy=COURT_POLICY)
    offer("badminton", "羽毛球场", "Badminton", court, first.pk, second.pk)
    meeting = services.TermsDraft(60, step_minutes=30, most_units=4, buffer_after=15, lead_minutes=120)
    offer("meeting", "业主会议室", "Residents' meeting room", meeting, room.pk)
    class_ = services.TermsDraft(90, capacity=24, horizon_days=21, policy={"steps": [], "late_percent": 0})
    offer("tai-chi", "周六太极晨练", "Tai chi on Saturday", class_, square.pk)
