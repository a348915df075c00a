"""What is kept how long, and what one bad row does to the others of a periodic task: nothing."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.booking.models import Booking
from shoufu.kernel.cases import services as cases
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import Journal, Order
from shoufu.kernel.privacy.models import LegalHold
from shoufu.scenes.homecare.encounters import services as encounters
from shoufu.scenes.homecare.encounters.models import Encounter, Overdue, Sos
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.register.models import Institution, Patient, Practitioner
from shoufu.scenes.homecare.visits import ordering, services
from shoufu.scenes.homecare.visits.models import (
    RETENTION_DAYS,
    BookingRules,
    Prescription,
    Visit,
    VisitEvent,
    default_policy,
)
from shoufu.scenes.homecare.visits.services import checks, offerings, states

pytestmark = pytest.mark.django_db
LATER = timedelta(days=RETENTION_DAYS + 30)


def _done(bookable: Any, hour: int) -> Visit:
    visit = bookable.paid(bookable.book(bookable.at(hour)))
    song = bookable.care.act("song")
    services.begin(song, visit.pk, timezone.now())
    services.finish(song, visit.pk, timezone.now())
    assert ordering.follow(visit.pk)
    return bookable.again(visit)


def _prescription(bookable: Any, **changes: Any) -> Prescription:
    today = timezone.localdate()
    plain = {
        "patient": bookable.care.mei, "service": bookable.care.service, "document": b"x", "issued_on": today,
        "last_day": today, "made_at": timezone.now(),
    }  # fmt: skip
    return Prescription.objects.create(**plain | changes)


def test_visits_and_prescriptions_go_after_fifteen_years_and_the_books_stay(bookable: Any) -> None:
    visit, row = _done(bookable, 9), _prescription(bookable)
    Visit.objects.update(prescription=row)
    journals = Journal.objects.count()
    assert services.forget(timezone.now() + timedelta(days=RETENTION_DAYS - 1)) == 0
    assert services.forget(timezone.now() + LATER) > 2
    assert not Visit.objects.exists() and not VisitEvent.objects.exists() and not Prescription.objects.exists()
    assert Order.objects.get().source == f"homecare.visit:{visit.pk}" and Journal.objects.count() == journals
    assert services.forget(timezone.now() + LATER) == 0


def test_a_prescription_stays_while_a_visit_rests_on_it(bookable: Any) -> None:
    row = _prescription(bookable, last_day=timezone.localdate() - LATER, issued_on=timezone.localdate() - LATER)
    visit = _done(bookable, 9)
    Visit.objects.filter(pk=visit.pk).update(prescription=row)
    assert services.forget(timezone.now()) == 0
    Visit.objects.update(prescription=None)
    assert services.forget(timezone.now()) == 1


def test_a_visit_stays_while_its_money_is_open(bookable: Any) -> None:
    care = bookable.care
    visit = services.pay_at_visit(care.act("mei"), bookable.book(bookable.at(9)).pk, mine=True)
    services.begin(care.act("song"), visit.pk, timezone.now())
    services.finish(care.act("song"), visit.pk, timezone.now())
    then = timezone.now() + LATER
    assert services.forget(then) == 0, "something is to be done about its money"
    assert ordering.follow(visit.pk) and services.forget(then) == 0, "it is to be paid"
    bookable.paid(bookable.again(visit))
    refund = payments.request_refund(SYSTEM, payments.RefundDraft(visit.order_id, 100, "少做一项"))
    assert ordering.follow(visit.pk) and services.forget(then) == 0, "money is going back"
    payments.confirm_refund(SYSTEM, refund.pk, "T-1")
    assert ordering.follow(visit.pk) and services.forget(then) > 0


def test_a_visit_stays_while_a_hold_keeps_its_case_and_what_was_written_there_goes_first(bookable: Any) -> None:
    care, now = bookable.care, timezone.now()
    visit = _done(bookable, 9)
    case = cases.report(SYSTEM, cases.CaseReport(visit.place_id, "没有签退", "high", "homecare.overdue"))
    plain = {"visit": visit, "practitioner": care.song}
    Overdue.objects.create(**plain, what="out", due_at=now, opened_at=now, case=case)
    Sos.objects.create(
        **plain, id="01890000-0000-7000-8000-000000000001", place=visit.place, case=case, pressed_at=now, known_at=now
    )
    Encounter.objects.create(
        **plain, patient=care.mei, place=visit.place, checklist="home-visit-1", opened_at=now, state="finished",
        in_at=now, out_at=now,
    )  # fmt: skip
    hold = LegalHold.objects.create(
        case=case, authority="区法院", reason="诉讼", since=now, until=now + 2 * LATER
    )  # fmt: skip
    then = now + LATER
    assert services.forget(then) == 0
    encounters.forget(then)
    assert Overdue.objects.exists() and Sos.objects.exists() and Encounter.objects.exists()
    Patient.objects.update(ended_at=now)
    assert register.forget(then) == 0 and Patient.objects.filter(pk=care.mei.pk).exists()
    LegalHold.objects.filter(pk=hold.pk).update(released_at=now)
    assert services.forget(then) == 0, "what was written there is still kept"
    encounters.forget(then)
    assert services.forget(then) > 0 and register.forget(then) > 0 and not Patient.objects.exists()


def test_whoever_a_longer_record_names_stays_and_the_others_go(bookable: Any) -> None:
    _done(bookable, 9)
    bookable.colleague("李护士", "13600000001")
    Practitioner.objects.update(left_at=timezone.now())
    register.forget(timezone.now() + timedelta(days=Practitioner.RETENTION_DAYS + 1))
    assert list(Practitioner.objects.all()) == [bookable.care.song]


def _failing(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, bad: Any) -> None:
    """The step fails for one of its rows."""
    step = getattr(module, name)

    def broken(first: Any, *more: Any, **names: Any) -> Any:
        own = more[0] if first is SYSTEM else first
        if bad in (own, getattr(own, "pk", None)):
            raise RuntimeError("kaputt")
        return step(first, *more, **names)

    monkeypatch.setattr(module, name, broken)


def _loud(caplog: pytest.LogCaptureFixture) -> None:
    said = [one for one in caplog.records if one.levelno == logging.ERROR and one.exc_info]
    assert said and "kaputt" in str(said[-1].exc_info[1])  # type: ignore[index]


def test_one_visit_that_cannot_be_closed_keeps_no_other_waiting(
    bookable: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = (bookable.paid(bookable.book(bookable.at(hour))) for hour in (9, 14))
    past = timezone.now() - timedelta(days=4)
    Visit.objects.update(starts_at=past, latest_at=past)
    with monkeypatch.context() as patch:
        _failing(patch, states, "_closed", first.pk)
        assert services.close_past() == 1
    _loud(caplog)
    assert (bookable.again(first).state, bookable.again(second).state) == ("booked", "missed")
    assert services.close_past() == 1 and bookable.again(first).state == "missed"


def test_one_visit_that_cannot_be_checked_keeps_no_other_waiting(
    bookable: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = (bookable.paid(bookable.book(bookable.at(hour))) for hour in (9, 14))
    Practitioner.objects.update(licence_last_day=timezone.localdate())
    with monkeypatch.context() as patch:
        _failing(patch, checks, "check_before", first.pk)
        assert services.check_ahead() == 1
    _loud(caplog)
    assert bookable.again(first).blocked == [] and bookable.again(second).blocked
    assert services.check_ahead() == 1 and bookable.again(first).blocked


def test_one_institution_whose_offerings_break_keeps_no_other_waiting(
    bookable: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = Institution.objects.order_by("pk")
    step, seen = offerings.keep_in_step, list[int]()

    def noted(actor: Any, office: Institution) -> int:
        seen.append(office.pk)
        if office == bad and len(seen) == 1:
            raise RuntimeError("kaputt")
        return step(actor, office)

    monkeypatch.setattr(offerings, "keep_in_step", noted)
    care = bookable.care
    assert bad == care.office
    policy = default_policy() | {"no_show_percent": 50}
    BookingRules.objects.update_or_create(institution=bad, defaults={"policy": policy})
    assert services.keep_all_in_step() == 0
    _loud(caplog)
    assert services.keep_all_in_step() == 1 and seen == [bad.pk, good.pk, bad.pk, good.pk]


def test_a_visit_is_not_moved_to_a_day_on_which_another_version_holds(bookable: Any) -> None:
    care = bookable.care
    visit = bookable.paid(bookable.book(bookable.at(9)))
    old = bookable.version
    draft = register.VersionDraft(
        "换药", "Wound dressing", 45, 19900, "同意换药", "I agree",
        performers=[register.PerformerDraft(("nurse",), ("wound",), 2, 5)], since=bookable.day(5),
        contraindications=tuple(old.contraindications), instruments=tuple(old.instruments), assessment_days=30,
    )  # fmt: skip
    register.publish(care.act("gao"), care.service.pk, draft)
    starts = [one.start for one in services.slots_to_move(
        care.act("mei"), visit.pk, bookable.at(0, ahead=3), bookable.at(0, ahead=9), mine=True
    )]  # fmt: skip
    assert starts and max(starts) < bookable.at(0, ahead=5)
    with pytest.raises(Conflict, match="新版本|another version") as refused:
        services.move(care.act("mei"), visit.pk, bookable.at(9, ahead=6), mine=True)
    assert refused.value.extra["reason"] == "version_changed"
    assert services.move(care.act("mei"), visit.pk, bookable.at(9, ahead=4), mine=True).day == bookable.day(4)
    assert Booking.objects.count() == 1
