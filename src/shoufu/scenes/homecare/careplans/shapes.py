"""What the interface of care plans reads and answers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from ninja import Field, Schema

from shoufu.kernel.base.lists.api import ListQuery


class TargetOut(Schema):
    quantity: str
    context: str
    low: float | None
    high: float | None
    strict: bool
    clause: str


class RuleOut(Schema):
    code: str
    severity: str
    text: str
    text_en: str
    advice: str
    advice_en: str
    clause: str
    days: int


class GuidelineOut(Schema):
    code: str
    version: int
    condition: str
    icd10: str
    name: str
    name_en: str
    year: int
    citation: str
    rules: list[RuleOut]


class PlanOut(Schema):
    id: int
    patient: int = Field(alias="patient_id")
    condition: str
    icd10: str
    guideline: str
    guideline_version: int
    state: str
    control: str
    since: date
    next_day: date | None
    last_reading_at: datetime | None
    missed: int
    version: int
    ended_at: datetime | None


class GoalIn(Schema):
    quantity: str
    low: Decimal | None = None
    high: Decimal | None = None
    strict: bool = False
    context: str = ""
    clause: str = Field("", max_length=300)


class TaskIn(Schema):
    code: str = Field(max_length=32)
    text: str = Field(max_length=120)
    text_en: str = Field("", max_length=120)
    kind: str = ""
    frequency: int = 1
    period: int = 1
    unit: str = "d"
    performer: str = "patient"


class PlanIn(Schema):
    condition: str
    guideline: str
    goals: list[GoalIn] | None = Field(None, description="The guideline's own for the patient's age where not given")
    tasks: list[TaskIn] | None = None
    note: str = Field("", max_length=2000)
    follow_up_days: int | None = None


class NewPlanIn(PlanIn):
    patient: int


class ChangeIn(PlanIn):
    version: int = Field(description="The version that was read; 409 where somebody changed the plan since")


class ReasonIn(Schema):
    reason: str = Field(max_length=500)


class GoalOut(TargetOut):
    state: str
    mean: float | None


class TaskOut(Schema):
    id: int
    code: str
    text: str
    kind: str
    frequency: int
    period: int
    unit: str
    performer: str
    done: int
    missed: int


class FindingOut(Schema):
    id: int
    plan: int
    rule: str
    severity: str
    state: str
    found_at: datetime
    last_at: datetime
    occurrences: int


class ToldOut(FindingOut):
    quantity: str
    value: float
    bound: float
    side: str
    clause: str
    answer: str


class ReadingOut(Schema):
    id: UUID
    kind: str
    context: str
    at: datetime
    values: dict[str, float]
    source: str


class ShownOut(Schema):
    plan: PlanOut
    note: str
    goals: list[GoalOut]
    tasks: list[TaskOut]
    findings: list[ToldOut]
    readings: list[ReadingOut]


class ReadingIn(Schema):
    id: UUID = Field(description="Made where it was measured; the same one sent twice is kept once")
    kind: str
    values: dict[str, float] = Field(max_length=10)
    at: datetime | None = None
    context: str = ""


class AddedOut(Schema):
    id: UUID
    fresh: bool
    findings: list[FindingOut]


class FollowUpIn(Schema):
    way: str
    adherence: str
    found: str = Field(max_length=2000)
    measures: str = Field("", max_length=2000)
    next_day: date | None = None


class FollowUpOut(Schema):
    id: int
    next_day: date
    needs_doctor: bool


class HandoverIn(Schema):
    reason: str = Field(max_length=2000)
    to: int | None = None
    urgent: bool = False


class HandoverOut(Schema):
    id: int
    plan: int = Field(alias="plan_id")
    state: str
    urgent: bool
    sent_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None
    version: int


class LetterOut(Schema):
    handover: HandoverOut
    document: dict[str, Any]
    answer: str


class AnswerIn(Schema):
    answer: str = Field(max_length=2000)
    version: int | None = None
    refuse: bool = False


class VersionIn(Schema):
    version: int | None = None


class DeviceIn(Schema):
    device: str = Field(max_length=64, description="The device's code")


class BindingOut(Schema):
    id: int
    device: str = Field(alias="device.code")
    patient: int = Field(alias="patient_id")
    since: datetime
    until: datetime | None


class PlanQuery(ListQuery):
    patient: int | None = None
    condition: str = ""
    state: str = ""
    control: str = ""


class ReadingQuery(Schema):
    kind: str = ""
    days: int = Field(90, ge=1, le=366)
