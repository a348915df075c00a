"""/api/homecare/visits/…: times that exist, booking, paying, moving, cancelling, prescriptions."""

from datetime import date, datetime
from typing import Any

from django.http import HttpResponse
from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.booking.services import Once
from shoufu.kernel.payments.pages.orders import pdf
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits import selectors, services
from shoufu.scenes.homecare.visits.models import Prescription, Visit

router = Router(tags=["homecare"])
MINE = "The caller's own care, or of one for whom they may act; else a patient whom they coordinate"


class StopOut(Schema):
    practitioner: int = Field(alias="practitioner_id")
    name: str = Field(alias="practitioner.person.name")
    task: int
    begins_at: datetime = Field(alias="span.lower")
    ends_at: datetime = Field(alias="span.upper")


class VisitOut(Schema):
    id: int
    number: str
    patient: int = Field(alias="patient_id")
    service: int = Field(alias="service_id")
    version: int = Field(alias="version.number")
    state: str
    day: date
    starts_at: datetime
    latest_at: datetime
    order: int | None = Field(alias="order_id")
    booking: int | None = Field(alias="booking_id")
    prescription: int | None = Field(alias="prescription_id")
    pay_later: bool
    blocked: list[str] = Field(description="Codes of why it cannot take place as booked")
    stops: list[StopOut]
    began_at: datetime | None
    ended_at: datetime | None
    end_cause: str

    @staticmethod
    def resolve_stops(row: Visit) -> list[Any]:
        return list(row.stops.all())


class SlotOut(Schema):
    start: datetime
    end: datetime


class SlotQuery(Schema):
    patient: int
    service: int
    since: datetime
    until: datetime
    prescription: int | None = None
    mine: bool = Field(False, description=MINE)


class VisitIn(Schema):
    patient: int
    service: int
    start: datetime
    consent: int = Field(description="The id of the service's version whose text was agreed to")
    prescription: int | None = None
    note: str = Field("", max_length=500)
    mine: bool = Field(False, description=MINE)


class VisitQuery(ListQuery):
    state: str = ""
    day: date | None = None
    patient: int | None = None
    mine: bool = Field(False, description=MINE)


class Whose(Schema):
    mine: bool = Field(False, description=MINE)


class CancelIn(Whose):
    reason: str = Field("", max_length=200)
    by_patient: bool | None = Field(None, description="Whether the patient wishes it: then it costs by the terms")


class MoveIn(Whose):
    start: datetime
    version: int | None = Field(None, description="The booking's version on which it was decided")


class PayIn(Whose):
    provider: str = Field(description="wechat, alipay, or at_visit: when somebody comes")


class PaidOut(Schema):
    state: str
    code_url: str = Field(description="What the QR code shows; empty where it is paid when somebody comes")


class CostOut(Schema):
    kept: int
    back: int
    owed: int
    currency: str
    why: str
    until: datetime | None


class CashIn(Schema):
    reference: str = Field(max_length=120)


class ObjectionOut(Schema):
    code: str = Field(alias="reason.code")
    text: str
    practitioner: int | None = None

    @staticmethod
    def resolve_practitioner(one: services.Objection) -> int | None:
        return one.practitioner.pk if one.practitioner is not None else None


class PrescriptionOut(Schema):
    id: int
    patient: int = Field(alias="patient_id")
    service: int = Field(alias="service_id")
    issued_on: date
    last_day: date
    uses: int
    made_at: datetime
    checked_at: datetime | None
    revoked_at: datetime | None


class PrescriptionIn(Whose):
    patient: int
    service: int
    issued_on: date
    last_day: date
    drug: str = Field(max_length=200)
    dose: str = Field(max_length=200)
    prescriber: str = Field(max_length=200)
    hospital: str = Field(max_length=200)
    route: str = Field("", max_length=200)
    uses: int = 1


class WrittenOut(Schema):
    drug: str
    dose: str
    route: str
    prescriber: str
    hospital: str


class PrescriptionQuery(ListQuery):
    patient: int | None = None
    checked: bool | None = None
    mine: bool = Field(False, description=MINE)


class ReasonIn(Schema):
    reason: str = Field(max_length=200)


class RulesIn(Schema):
    step_minutes: int = 30
    lead_minutes: int = 120
    horizon_days: int = 14
    hold_seconds: int = 900
    pay_at_visit: bool = True
    policy: dict[str, Any] | None = Field(None, description="What cancelling costs; see the booking kernel")


class RulesOut(RulesIn):
    pass


class OfferingOut(Schema):
    id: int
    code: str
    terms: int = Field(alias="current.number")


def _listed(request: PageRequest, mine: bool) -> Any:
    if not mine:
        register.require_any(request.actor, register.PATIENTS, register.CARE)
    return selectors.own(request.actor) if mine else selectors.visits(request.actor)


@router.get("/slots", response=list[SlotOut])
def list_slots(request: PageRequest, query: Query[SlotQuery]) -> Any:
    """The times at which somebody can really come for a service, soonest first."""
    return services.free_slots(
        request.actor, query.patient, query.service, query.since, query.until,
        prescription=query.prescription, mine=query.mine,
    )  # fmt: skip


@router.get("/visits", response=Page[VisitOut])
def list_visits(request: PageRequest, query: Query[VisitQuery]) -> Any:
    """Visits to the patients whom one cares for, or one's own."""
    rows = _listed(request, query.mine)
    for name in ("state", "day", "patient"):
        if value := getattr(query, name):
            rows = rows.filter(**{name: value})
    return answer(rows, query, {"starts_at": "starts_at"}, VisitOut.from_orm, "visits")


@router.post("/visits", response={201: VisitOut})
def book(request: PageRequest, body: VisitIn) -> Status[Visit]:
    """Hold a visit; it is booked once it is paid. Send an Idempotency-Key, and the same again after a lost answer."""
    asked = body.model_dump(exclude={"mine"})
    once = Once.of(request.headers.get("Idempotency-Key", ""), "homecare.visit", body.model_dump(mode="json"))
    return Status(201, services.book(request.actor, services.VisitDraft(**asked), mine=body.mine, once=once))


@router.get("/visits/{int:visit_id}", response=VisitOut)
def get_visit(request: PageRequest, visit_id: int, query: Query[Whose]) -> Visit:
    """One visit."""
    return selectors.visit(request.actor, visit_id, mine=query.mine)


@router.get("/visits/{int:visit_id}/cost", response=CostOut)
def get_cost(request: PageRequest, visit_id: int, query: Query[Whose]) -> services.Cost:
    """What cancelling costs now, at the patient's wish."""
    return services.cost(request.actor, visit_id, mine=query.mine)


@router.get("/visits/{int:visit_id}/objections", response=list[ObjectionOut])
def get_objections(request: PageRequest, visit_id: int) -> Any:
    """Everything against a visit as it is booked."""
    row = selectors.visit(request.actor, visit_id)
    return services.check_before(row, row.starts_at)


@router.post("/visits/{int:visit_id}/cancel", response=VisitOut)
def cancel(request: PageRequest, visit_id: int, body: CancelIn) -> Visit:
    """Give a visit up; the rest of what was paid goes back."""
    return services.cancel(request.actor, visit_id, body.reason, mine=body.mine, by_patient=body.by_patient)


@router.get("/visits/{int:visit_id}/slots", response=list[SlotOut])
def list_slots_to_move(
    request: PageRequest, visit_id: int, since: datetime, until: datetime, mine: bool = False
) -> Any:
    """The times to which a visit can be moved."""
    return services.slots_to_move(request.actor, visit_id, since, until, mine=mine)


@router.post("/visits/{int:visit_id}/move", response=VisitOut)
def move(request: PageRequest, visit_id: int, body: MoveIn) -> Visit:
    """Give a visit another time."""
    return services.move(request.actor, visit_id, body.start, body.version, mine=body.mine)


@router.post("/visits/{int:visit_id}/pay", response=PaidOut)
def pay(request: PageRequest, visit_id: int, body: PayIn) -> PaidOut:
    """Ask a provider for the payment, or pay when somebody comes."""
    if body.provider == "at_visit":
        row = services.pay_at_visit(request.actor, visit_id, mine=body.mine)
        return PaidOut(state=row.state, code_url="")
    payment = services.pay_online(request.actor, visit_id, body.provider, mine=body.mine)
    return PaidOut(state=payment.state, code_url=payment.code_url)


@router.post("/visits/{int:visit_id}/cash", response=VisitOut)
def cash(request: PageRequest, visit_id: int, body: CashIn) -> Visit:
    """The whole amount came in cash or by transfer."""
    services.confirm_cash(request.actor, visit_id, body.reference)
    return selectors.visit(request.actor, visit_id)


@router.get("/visits/{int:visit_id}/receipt", response={200: bytes})
def receipt(request: PageRequest, visit_id: int, query: Query[Whose]) -> HttpResponse:
    """The receipt as PDF."""
    return pdf(*services.receipt(request.actor, visit_id, mine=query.mine))


@router.get("/prescriptions", response=Page[PrescriptionOut])
def list_prescriptions(request: PageRequest, query: Query[PrescriptionQuery]) -> Any:
    """Prescriptions; nothing of what is written in them."""
    if not query.mine:
        register.require_any(request.actor, register.PATIENTS, register.CARE)
    rows = selectors.own_prescriptions(request.actor) if query.mine else selectors.prescriptions(request.actor)
    if query.patient:
        rows = rows.filter(patient=query.patient)
    if query.checked is not None:
        rows = rows.filter(checked_at__isnull=not query.checked)
    return answer(rows, query, {"made_at": "made_at"}, PrescriptionOut.from_orm, "prescriptions")


@router.post("/prescriptions", response={201: PrescriptionOut})
def add_prescription(request: PageRequest, body: PrescriptionIn) -> Status[Prescription]:
    """Write a prescription down."""
    draft = services.PrescriptionDraft(**body.model_dump(exclude={"mine"}))
    return Status(201, services.add_prescription(request.actor, draft, mine=body.mine))


@router.get("/prescriptions/{int:prescription_id}/written", response=WrittenOut)
def look_at_prescription(request: PageRequest, prescription_id: int, query: Query[Whose]) -> services.Written:
    """What is written in one; a look of staff is recorded."""
    return services.look_at(request.actor, prescription_id, mine=query.mine)


@router.post("/prescriptions/{int:prescription_id}/check", response=PrescriptionOut)
def check_prescription(request: PageRequest, prescription_id: int) -> Prescription:
    """The original was seen and agrees."""
    return services.check_prescription(request.actor, prescription_id)


@router.post("/prescriptions/{int:prescription_id}/revoke", response=PrescriptionOut)
def revoke_prescription(request: PageRequest, prescription_id: int, body: ReasonIn) -> Prescription:
    """It counts no more."""
    return services.revoke_prescription(request.actor, prescription_id, body.reason)


@router.put("/institutions/{int:institution_id}/rules", response=RulesOut)
def set_rules(request: PageRequest, institution_id: int, body: RulesIn) -> Any:
    """How an institution's visits are booked, paid and cancelled."""
    return services.set_rules(request.actor, institution_id, services.RulesDraft(**body.model_dump()))


@router.post("/services/{int:service_id}/open", response=OfferingOut)
def open_service(request: PageRequest, service_id: int) -> Any:
    """Let patients book a service."""
    return services.open_for_booking(request.actor, service_id)


@router.post("/services/{int:service_id}/close", response={204: None})
def close_service(request: PageRequest, service_id: int) -> Status[None]:
    """Let nobody book a service from now on."""
    services.close_for_booking(request.actor, service_id)
    return Status(204, None)
