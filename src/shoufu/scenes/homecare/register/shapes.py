"""What the interface of the register reads and answers."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from ninja import Field, Schema

from shoufu.kernel.base.lists.api import ListQuery
from shoufu.scenes.homecare.register import services
from shoufu.scenes.homecare.register.models import Portrait, Practitioner


class InstitutionOut(Schema):
    id: int
    organisation: int = Field(alias="organisation_id")
    name: str = Field(alias="organisation.name")
    place: int = Field(alias="place_id", description="It serves this place and what lies in it")
    licence_number: str
    licence_last_day: date
    suspended_at: datetime | None


class InstitutionIn(Schema):
    organisation: int
    place: int
    licence_number: str = Field(max_length=64)
    licence_last_day: date


class ReasonIn(Schema):
    reason: str = Field(max_length=200)


class PerformerModel(Schema):
    professions: list[str] = []
    skills: list[str] = []
    least_rank: int = 1
    least_years: int = 0


class MaterialModel(Schema):
    name: str = Field(max_length=80)
    name_en: str = Field("", max_length=80)
    unit: str = Field("", max_length=80)
    quantity: float = 1


class VersionIn(Schema):
    name: str = Field(max_length=120)
    name_en: str = Field(max_length=120)
    duration_minutes: int
    price: int = Field(description="In minor units")
    consent: str = Field(max_length=4000)
    consent_en: str = Field(max_length=4000)
    performers: list[PerformerModel] = Field([PerformerModel()], max_length=2)
    since: date | None = None
    what: str = Field("", max_length=1000)
    what_en: str = Field("", max_length=1000)
    second: str = "none"
    gap_least: int = 0
    gap_most: int = 0
    materials: list[MaterialModel] = Field([], max_length=40)
    insurance_share: int = Field(0, description="Per cent")
    contraindications: list[str] = []
    needs_prescription: bool = False
    needs_assessment: bool = True
    instruments: list[str] = []
    assessment_days: int = 90

    def draft(self) -> services.VersionDraft:
        read = self.model_dump()
        read["performers"] = [services.PerformerDraft(**one) for one in read["performers"]]
        return services.VersionDraft(**read)


class ServiceIn(Schema):
    institution: int
    code: str = Field(max_length=64)
    version: VersionIn


class VersionOut(Schema):
    number: int
    since: date
    name: str
    name_en: str
    what: str
    what_en: str
    performers: list[Any]
    second: str
    gap_least: int
    gap_most: int
    duration_minutes: int
    materials: list[Any]
    price: int
    currency: str
    insurance_share: int
    contraindications: list[str]
    consent: str
    consent_en: str
    needs_prescription: bool
    needs_assessment: bool
    instruments: list[str]
    assessment_days: int


class ServiceOut(Schema):
    id: int
    institution: int = Field(alias="institution_id")
    code: str
    name: str | None = Field(alias="named")
    closed_at: datetime | None


class PractitionerOut(Schema):
    id: int
    person: int = Field(alias="person_id")
    name: str = Field(alias="person.name")
    institution: int = Field(alias="institution_id")
    profession: str
    rank: int
    licence_number: str
    licence_last_day: date
    clinical_since: date
    skills: list[str]
    verified_at: datetime | None
    verified_source: str
    suspended_at: datetime | None
    left_at: datetime | None
    radius: int
    transport: str
    resource: int | None = Field(alias="resource_id")
    portrait: UUID | None = Field(None, description="Which picture of the face is up; a new one has another id")

    @staticmethod
    def resolve_portrait(row: Practitioner) -> UUID | None:
        found: Portrait | None = getattr(row, "portrait", None)
        return found.pk if found is not None else None


class PractitionerIn(Schema):
    institution: int
    name: str = Field(max_length=80)
    phone: str = Field(max_length=20)
    profession: str
    rank: int
    licence_number: str = Field(max_length=64)
    licence_last_day: date
    clinical_since: date
    skills: list[str] = []
    base: tuple[float, float] | None = Field(None, description="Longitude and latitude, WGS-84")
    radius: int = 5000
    transport: str = "ebike"


class PracticeIn(Schema):
    rank: int | None = None
    licence_number: str | None = Field(None, max_length=64)
    licence_last_day: date | None = None
    clinical_since: date | None = None
    skills: list[str] | None = None
    radius: int | None = None
    transport: str | None = None


class VerifyIn(Schema):
    source: str = Field(max_length=200)


class ShiftIn(Schema):
    recurrence: str = Field(max_length=200)
    opens: time
    closes: time
    since: date | None = None
    until: date | None = None


class PatientOut(Schema):
    id: int
    person: int = Field(alias="person_id")
    name: str = Field(alias="person.name")
    institution: int = Field(alias="institution_id")
    place: int = Field(alias="place_id")
    household: int | None = Field(alias="household_id")
    since: datetime
    ended_at: datetime | None
    end_cause: str


class PatientIn(Schema):
    institution: int
    name: str = Field(max_length=80)
    phone: str = Field(max_length=20)
    access: str = Field("", max_length=1000)
    allergies: str = Field("", max_length=1000)
    conditions: str = Field("", max_length=2000)
    flags: list[str] = []
    sex: str = ""


class PatientPatch(Schema):
    access: str | None = Field(None, max_length=1000)
    allergies: str | None = Field(None, max_length=1000)
    conditions: str | None = Field(None, max_length=2000)
    flags: list[str] | None = None
    sex: str | None = None


class HealthOut(Schema):
    access: str
    allergies: str
    conditions: str
    flags: list[str]
    sex: str


class AssignIn(Schema):
    practitioners: list[int] = Field(max_length=50)


class PeopleQuery(ListQuery):
    institution: int | None = None
    ended: bool = Field(False, description="Those who left or whose care has ended too")
