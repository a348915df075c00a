from typing import Any

from django.utils.translation import gettext as _

from shoufu.engines.fhir import capabilities
from shoufu.engines.fhir.capabilities import Offer
from shoufu.scenes.homecare.fhir import kinds

# The statement changes with the program, not with the clock.
DATE = "2026-11-29"
INTERACTIONS = ("read", "vread", "update", "delete", "history-instance", "create", "search-type")
OPERATIONS = (
    ("export", "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"),
    ("patient-export", "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export"),
    ("validate", "http://hl7.org/fhir/OperationDefinition/Resource-validate"),
)


def statement(base: str, version: str) -> dict[str, Any]:
    """The CapabilityStatement of this server."""
    found = capabilities.statement(
        [_offer(kind) for kind in kinds.TYPES],
        url=base,
        name=_("Home care: FHIR R4"),
        software="Shoufu",
        software_version=version,
        date=DATE,
        operations=OPERATIONS,
        system=("batch", "transaction"),
    )
    said = _("Send an API token of the console as “Authorization: Bearer …”.")
    found["rest"][0] = {"mode": "server", "security": {"description": said}} | found["rest"][0]
    return found


def _offer(kind: str) -> Offer:
    known = kinds.searches(kind)
    includes = tuple(f"{kind}:{name}" for name, one in known.items() if one.kind == "reference")
    return Offer(kind, INTERACTIONS, tuple(known), includes, conditional_create=True)
