import pytest

from shoufu.kernel.access import demo as access
from shoufu.kernel.access.models import User
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.parties import demo as parties
from shoufu.kernel.payments import books
from shoufu.kernel.payments.models import Order
from shoufu.kernel.places import demo as places
from shoufu.scenes.homecare import demo
from shoufu.scenes.homecare.assessment.models import Assessment
from shoufu.scenes.homecare.careplans.models import CarePlan, Reading
from shoufu.scenes.homecare.encounters.models import Encounter, Photo
from shoufu.scenes.homecare.quality.models import Incident, Rating
from shoufu.scenes.homecare.register.models import Institution, Patient, Portrait, Practitioner, Service
from shoufu.scenes.homecare.visits.models import Visit


@pytest.mark.django_db
def test_the_model_districts_part_loads_once() -> None:
    for part in (places, parties, access):
        part.load(SYSTEM)
    for _time in range(2):
        demo.load(SYSTEM)
        counts = (Institution, Service, Practitioner, Patient, Incident)
        assert [model.objects.count() for model in counts] == [1, 6, 9, 10, 1]
        past = Visit.objects.filter(state="done", booking__isnull=True).count()
        assert 100 < past < 150 and Rating.objects.count() == -(-past // 3)
        by_services = Visit.objects.filter(booking__isnull=False)
        assert by_services.filter(state="booked").count() >= 7 and by_services.filter(state="done").count() >= 4
    assert Practitioner.objects.filter(verified_at__isnull=True).count() == 1
    assert Portrait.objects.count() == 7, "whoever is verified shows a face"
    assert Assessment.objects.filter(decision="unfit").count() == 1
    assert Order.objects.filter(state="paid", performers__isnull=False).distinct().count() >= 4
    assert books.wrong_orders() == []
    staff = User.objects.filter(assignments__role__startswith="care_")
    assert {"caremanager", "coordinator", "regulator"} <= set(staff.values_list("username", flat=True))
    assert CarePlan.objects.count() == 1, "the community's residents with accounts are no part of this test"
    assert Reading.objects.count() > 50
    assert Encounter.objects.count() >= 20 and Photo.objects.filter(key__isnull=False).exists()
