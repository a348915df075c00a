"""Which types of R4 this server serves, and by which parameters it finds them."""

from functools import cache

from shoufu.engines.fhir.definitions import SearchParameter, search_parameters
from shoufu.engines.fhir.rest.parameters import MODIFIERS

TYPES = (
    "Appointment",
    "Bundle",
    "CarePlan",
    "Condition",
    "Consent",
    "Encounter",
    "HealthcareService",
    "Location",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Provenance",
    "Questionnaire",
    "QuestionnaireResponse",
    "Schedule",
    "ServiceRequest",
    "Slot",
    "Task",
)
# Of the parameters of all types these are answered; others (_tag, _profile …) work as well.
COMMON = ("_id", "_lastUpdated", "_profile", "_tag", "_security", "_source")
WHOSE = ("patient", "subject")


@cache
def searches(kind: str) -> dict[str, SearchParameter]:
    """The search parameters of a type that are answered, those of all types included."""
    every = search_parameters()
    known = {name: every["Resource"][name] for name in COMMON if name in every["Resource"]} | every.get(kind, {})
    return {name: one for name, one in sorted(known.items()) if one.kind in MODIFIERS}


@cache
def of_patients() -> tuple[str, ...]:
    """The types whose resources can be about a patient: those that a search by patient finds."""
    return tuple(kind for kind in TYPES if kind == "Patient" or subject_parameter(kind) is not None)


@cache
def subject_parameter(kind: str) -> SearchParameter | None:
    """By which parameter the patient of a resource is found; None for a type that is about none."""
    known = searches(kind)
    found = (known[name] for name in WHOSE if name in known and known[name].kind == "reference")
    return next((one for one in found if not one.targets or "Patient" in one.targets), None)
