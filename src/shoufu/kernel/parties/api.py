from datetime import date, datetime
from typing import Any

from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.parties import selectors, services
from shoufu.kernel.parties.models import Consent, Household, Organisation, Person, Residency, Vehicle
from shoufu.kernel.privacy import erasure

router = Router()


class PersonOut(Schema):
    id: int
    code: str
    name: str
    place: int = Field(alias="place_id")
    erased_at: datetime | None


class PersonIn(Schema):
    name: str = Field(max_length=80)
    place: int
    phone: str = ""
    identity: str = ""
    born: date | None = None
    code: str = Field("", max_length=64)


class PersonChangeIn(Schema):
    name: str | None = Field(None, max_length=80)
    phone: str | None = None
    identity: str | None = None
    born: date | None = None
    reason: str = Field("", max_length=200)


class PersonalOut(Schema):
    person: PersonOut
    phone: str
    identity: str


class ReasonIn(Schema):
    reason: str = Field(max_length=200)


class SearchIn(Schema):
    text: str = Field(max_length=80, description="A part of a name, or a whole phone or identity number")


class HouseholdIn(Schema):
    place: int
    number: str = Field(max_length=16)
    code: str = Field("", max_length=64)


class HouseholdOut(Schema):
    id: int
    code: str
    place: int = Field(alias="place_id")
    number: str


class ResidencyIn(Schema):
    person: int
    household: int
    kind: str = "owner"
    since: date | None = None
    until: date | None = None


class ResidencyOut(Schema):
    id: int
    person: int = Field(alias="person_id")
    household: int = Field(alias="household_id")
    kind: str
    since: date
    until: date | None


class MoveOutIn(Schema):
    until: date | None = None
    reason: str = Field("", max_length=200)


class OrganisationIn(Schema):
    code: str = Field(max_length=64)
    kind: str
    name: str = Field(max_length=120)
    place: int
    name_en: str = Field("", max_length=120)


class OrganisationOut(Schema):
    id: int
    code: str
    kind: str
    name: str
    name_en: str
    place: int = Field(alias="place_id")


class MemberIn(Schema):
    person: int
    organisation: int
    title: str = Field(max_length=80)
    since: date | None = None
    until: date | None = None


class MemberOut(Schema):
    id: int
    person: int = Field(alias="person_id")
    organisation: int = Field(alias="organisation_id")
    title: str
    since: date
    until: date | None


class VehicleIn(Schema):
    plate: str = Field(max_length=20)
    place: int
    household: int | None = None
    colour: str = Field("", max_length=8)
    since: date | None = None
    until: date | None = None


class VehicleOut(Schema):
    id: int
    plate: str
    colour: str
    place: int = Field(alias="place_id")
    household: int | None = Field(alias="household_id")
    since: date
    until: date | None


class ConsentIn(Schema):
    purpose: str = Field(max_length=64)
    how: str = Field(max_length=120)


class PurposeIn(Schema):
    purpose: str = Field(max_length=64)


class ConsentOut(Schema):
    id: int
    person: int = Field(alias="person_id")
    purpose: str
    given_at: datetime
    withdrawn_at: datetime | None
    how: str


class LookOut(Schema):
    at: datetime
    actor_label: str
    action: str
    reason: str


class VehicleQuery(ListQuery):
    plate: str = ""


@router.get("/people", response=Page[PersonOut])
def list_people(request: PageRequest, query: Query[ListQuery]) -> Any:
    """People of one's places: names only."""
    rows = selectors.people(request.actor)
    return answer(rows, query, {"name": "name", "code": "code"}, PersonOut.from_orm, "people")


@router.post("/people", response={201: list[PersonOut]})
def create_people(request: PageRequest, body: list[PersonIn]) -> Status[list[Person]]:
    """Register people, all or none."""
    return Status(
        201, services.create_people(request.actor, [services.PersonDraft(**item.model_dump()) for item in body])
    )


@router.post("/people/search", response=list[PersonOut])
def search(request: PageRequest, body: SearchIn) -> list[Person]:
    """Find people; leaves an audit entry. A POST, so that what was looked for stays out of addresses and logs."""
    return selectors.search(request.actor, body.text)


@router.get("/people/{int:person_id}", response=PersonOut)
def get_person(request: PageRequest, person_id: int) -> Person:
    """One person: the name only."""
    return selectors.get(request.actor, person_id)


@router.post("/people/{int:person_id}/look", response=PersonalOut)
def look(request: PageRequest, person_id: int, body: ReasonIn) -> selectors.PersonalData:
    """A person's phone and identity number; leaves an audit entry that the person can read."""
    return selectors.look(request.actor, person_id, body.reason)


@router.post("/people/{int:person_id}/correct", response=PersonOut)
def correct(request: PageRequest, person_id: int, body: PersonChangeIn) -> Person:
    """Correct a person's data."""
    wanted = services.PersonChange(**body.model_dump(exclude={"reason"}))
    return services.correct_person(request.actor, person_id, wanted, body.reason)


@router.post("/people/{int:person_id}/erase", response=PersonOut)
def erase(request: PageRequest, person_id: int, body: ReasonIn) -> Person:
    """Erase everything held on a person: register, history, pictures, doors; a tombstone without a name stays."""
    erasure.erase(request.actor, person_id, body.reason)
    return Person.objects.get(pk=person_id)


@router.get("/people/{int:person_id}/consents", response=list[ConsentOut])
def consents(request: PageRequest, person_id: int) -> Any:
    """What a person allowed."""
    return selectors.consents(request.actor, person_id)


@router.post("/people/{int:person_id}/consents", response={201: ConsentOut})
def give_consent(request: PageRequest, person_id: int, body: ConsentIn) -> Status[Consent]:
    """A person allows a purpose."""
    return Status(201, services.give_consent(request.actor, person_id, body.purpose, body.how))


@router.post("/people/{int:person_id}/consents/withdraw", response=ConsentOut)
def withdraw_consent(request: PageRequest, person_id: int, body: PurposeIn) -> Consent:
    """A person no longer allows a purpose."""
    return services.withdraw_consent(request.actor, person_id, body.purpose)


@router.get("/me/looks", response=Page[LookOut])
def looks(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Who looked at, or changed, one's own data."""
    return answer(selectors.looks_at_me(request.actor), query, {"at": "at"}, LookOut.from_orm, "looks")


@router.get("/households", response=Page[HouseholdOut])
def list_households(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Households of one's places."""
    rows = selectors.households(request.actor)
    return answer(rows, query, {"code": "code", "number": "number"}, HouseholdOut.from_orm, "households")


@router.post("/households", response={201: list[HouseholdOut]})
def create_households(request: PageRequest, body: list[HouseholdIn]) -> Status[list[Household]]:
    """Register households, all or none."""
    drafts = [services.HouseholdDraft(**item.model_dump()) for item in body]
    return Status(201, services.create_households(request.actor, drafts))


@router.post("/residencies", response={201: list[ResidencyOut]})
def move_in(request: PageRequest, body: list[ResidencyIn]) -> Status[list[Residency]]:
    """People move into households, all or none."""
    return Status(201, services.move_in(request.actor, [services.ResidencyDraft(**item.model_dump()) for item in body]))


@router.post("/residencies/{int:residency_id}/end", response=ResidencyOut)
def move_out(request: PageRequest, residency_id: int, body: MoveOutIn) -> Residency:
    """A person leaves a household."""
    return services.move_out(request.actor, residency_id, body.until, body.reason)


@router.get("/organisations", response=Page[OrganisationOut])
def list_organisations(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Organisations at one's places."""
    rows = selectors.organisations(request.actor)
    return answer(rows, query, {"name": "name", "code": "code"}, OrganisationOut.from_orm, "organisations")


@router.post("/organisations", response={201: list[OrganisationOut]})
def create_organisations(request: PageRequest, body: list[OrganisationIn]) -> Status[list[Organisation]]:
    """Register organisations, all or none."""
    drafts = [services.OrganisationDraft(**item.model_dump()) for item in body]
    return Status(201, services.create_organisations(request.actor, drafts))


@router.post("/memberships", response={201: list[MemberOut]})
def add_members(request: PageRequest, body: list[MemberIn]) -> Status[Any]:
    """People start to work for organisations, all or none."""
    return Status(
        201, services.add_members(request.actor, [services.MembershipDraft(**item.model_dump()) for item in body])
    )


@router.post("/memberships/{int:membership_id}/end", response=MemberOut)
def end_membership(request: PageRequest, membership_id: int, body: MoveOutIn) -> Any:
    """A person stops to work for an organisation."""
    return services.end_membership(request.actor, membership_id, body.until, body.reason)


@router.get("/vehicles", response=Page[VehicleOut])
def list_vehicles(request: PageRequest, query: Query[VehicleQuery]) -> Any:
    """Registered vehicles of one's places."""
    rows = selectors.vehicles(request.actor)
    if query.plate.strip():
        rows = rows.filter(plate__icontains=query.plate.strip())
    return answer(rows, query, {"plate": "plate", "since": "since"}, VehicleOut.from_orm, "vehicles")


@router.post("/vehicles", response={201: list[VehicleOut]})
def register_vehicles(request: PageRequest, body: list[VehicleIn]) -> Status[list[Vehicle]]:
    """Register vehicles, all or none."""
    drafts = [services.VehicleDraft(**item.model_dump()) for item in body]
    return Status(201, services.register_vehicles(request.actor, drafts))


@router.post("/vehicles/{int:vehicle_id}/remove", response=VehicleOut)
def remove_vehicle(request: PageRequest, vehicle_id: int, body: ReasonIn) -> Vehicle:
    """A vehicle leaves the register."""
    return services.remove_vehicle(request.actor, vehicle_id, body.reason)
