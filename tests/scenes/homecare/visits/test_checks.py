from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.notices.models import Notice
from shoufu.kernel.payments.models import Refund
from shoufu.scenes.homecare.assessment.models import Assessment
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.register.models import Patient, Practitioner, ServiceVersion
from shoufu.scenes.homecare.visits import ordering, services
from shoufu.scenes.homecare.visits.models import Prescription

pytestmark = pytest.mark.django_db


def _prescribed(bookable: Any, **changes: Any) -> Prescription:
    ServiceVersion.objects.update(needs_prescription=True)
    today = timezone.localdate()
    plain = {
        "patient": bookable.care.mei.pk, "service": bookable.care.service.pk, "issued_on": today,
        "last_day": bookable.day(4), "drug": "藻酸盐敷料", "dose": "每次一片", "prescriber": "王医生",
        "hospital": "市医院",
    }  # fmt: skip
    draft = services.PrescriptionDraft(**plain | changes)
    return services.add_prescription(bookable.care.act("mei"), draft, mine=True)


def test_a_prescription_counts_once_staff_saw_the_original(bookable: Any) -> None:
    care = bookable.care
    row = _prescribed(bookable)
    assert "藻酸盐".encode() not in bytes(Prescription.objects.get().document)
    assert bookable.slots(prescription=row.pk) == [] and bookable.slots() == []
    with pytest.raises(NotFound):
        services.check_prescription(care.act("other"), row.pk)
    services.check_prescription(care.act("song"), row.pk)
    assert services.look_at(care.act("song"), row.pk).drug == "藻酸盐敷料"
    days = {start.date() for start in bookable.slots(prescription=row.pk)}
    assert bookable.day(4) in days and bookable.day(5) not in days
    visit = bookable.book(bookable.at(9), prescription=row.pk)
    assert visit.prescription == row
    with pytest.raises(Conflict):
        bookable.book(bookable.at(14), prescription=row.pk)
    with pytest.raises(Invalid, match="last_day"):
        _prescribed(bookable, last_day=timezone.localdate() - timedelta(days=1))


def test_what_lapsed_between_booking_and_visit_is_told_and_not_begun(bookable: Any) -> None:
    care = bookable.care
    row = _prescribed(bookable)
    services.check_prescription(care.act("song"), row.pk)
    visit = bookable.paid(bookable.book(bookable.at(9), prescription=row.pk))
    assert services.check_ahead() == 0
    Prescription.objects.update(
        issued_on=timezone.localdate() - timedelta(9), last_day=timezone.localdate() - timedelta(1)
    )
    assert services.check_ahead() == 1 and services.check_ahead() == 0
    kept = bookable.again(visit)
    assert kept.blocked == ["prescription_lapsed"]
    told = Notice.objects.filter(template__startswith="homecare.blocked").values_list("user__username", flat=True)
    assert set(told) == {"gao", "mei"}
    with pytest.raises(Conflict) as refused:
        services.begin(care.act("song"), visit.pk, timezone.now())
    assert refused.value.extra["codes"] == ["prescription_lapsed"]
    Prescription.objects.update(last_day=bookable.day(9))
    assert services.check_ahead() == 1 and bookable.again(visit).blocked == []


@pytest.mark.parametrize("case", ["licence", "died", "contraindicated", "assessment"])
def test_a_visit_that_may_not_be_done_any_more_is_not_begun(bookable: Any, case: str) -> None:
    care = bookable.care
    visit = bookable.paid(bookable.book(bookable.at(9)))
    now, yesterday = timezone.now(), timezone.localdate() - timedelta(days=1)
    if case == "licence":
        Practitioner.objects.update(licence_last_day=yesterday)
    elif case == "died":
        Patient.objects.update(ended_at=now, end_cause="died")
    elif case == "contraindicated":
        register.change_patient(care.act("gao"), care.mei.pk, register.PatientChange(flags=["unstable"]))
    else:
        Assessment.objects.update(last_day=yesterday)
    wanted = {"licence": "licence_ended", "died": "patient_ended", "assessment": "assessment_lapsed"}.get(case, case)
    with pytest.raises(Conflict) as refused:
        services.begin(care.act("song"), visit.pk, now)
    assert refused.value.extra["codes"] == [wanted]
    assert bookable.again(visit).state == "booked"


@pytest.mark.parametrize("case", ["away", "licence"])
def test_who_cannot_come_is_told_and_stays_until_somebody_decides_whoever_books_meanwhile(
    bookable: Any, case: str
) -> None:
    care, gao = bookable.care, bookable.care.act("gao")
    visit = bookable.paid(bookable.book(bookable.at(9)))
    (other,) = bookable.neighbours(1)
    bookable.colleague("白丽娟", "13811110011")
    if case == "away":
        register.add_absence(gao, care.song.pk, bookable.at(0), bookable.at(23, 59))
    else:
        Practitioner.objects.filter(pk=care.song.pk).update(licence_last_day=bookable.day(1))
    code = {"away": "absent", "licence": "licence_ended"}[case]
    assert services.check_ahead() == 1 and bookable.again(visit).blocked == [code]
    booked = services.book(gao, bookable.draft(bookable.at(14), patient=other.pk))
    assert booked.stops.get().practitioner != care.song
    assert visit.stops.get().practitioner == care.song
    assert services.check_ahead() == 0 and bookable.again(visit).blocked == [code]
    services.cancel(gao, booked.pk, "改期")
    assert visit.stops.get().practitioner == care.song


def test_a_visit_of_tomorrow_that_nobody_is_sent_to_is_told(bookable: Any) -> None:
    far = bookable.paid(bookable.book(bookable.at(9)))
    visit = bookable.paid(bookable.book(bookable.at(9, ahead=1)))
    visit.stops.all().delete()
    far.stops.all().delete()
    assert services.check_ahead() == 1
    assert bookable.again(visit).blocked == ["nobody_assigned"] and bookable.again(far).blocked == []
    assert Notice.objects.filter(template="homecare.blocked", user__username="gao").exists()


def test_a_visit_of_which_nobody_ever_said_anything_did_not_take_place_and_costs_nothing(bookable: Any) -> None:
    visit = bookable.paid(bookable.book(bookable.at(9)))
    assert services.close_past(bookable.at(9, ahead=5)) == 0
    later = bookable.at(12, ahead=6)
    assert services.close_past(later) == 1 and services.close_past(later) == 0
    kept = bookable.again(visit)
    assert (kept.state, kept.end_cause, kept.stops.get().live) == ("missed", "nobody_came", False)
    ordering.follow(visit.pk)
    assert Refund.objects.get().amount_minor == kept.order.payer_minor


def test_visits_to_come_follow_a_patient_who_moves(bookable: Any) -> None:
    from shoufu.kernel.places.models import Place
    from shoufu.scenes.homecare.visits.services import ending

    visit, done = bookable.paid(bookable.book(bookable.at(9))), bookable.paid(bookable.book(bookable.at(14)))
    services.begin(bookable.care.act("song"), done.pk, timezone.now())
    there = Place.objects.exclude(pk=visit.place_id).filter(path__startswith=bookable.care.office.place.path).first()
    Patient.objects.filter(pk=visit.patient_id).update(place=there)
    assert [row.pk for row in ending.follow_home(SYSTEM, visit.patient.person_id)] == [visit.pk]
    assert bookable.again(visit).place == there and bookable.again(done).place == visit.place
