from shoufu.scenes.homecare.fhir.services.exports import (
    ExportDraft,
    ask_export,
    cancel_export,
    expire,
    fetch_file,
    make,
)
from shoufu.scenes.homecare.fhir.services.looks import looked
from shoufu.scenes.homecare.fhir.services.refusals import note_refusal
from shoufu.scenes.homecare.fhir.services.retention import exported, exported_version, forget
from shoufu.scenes.homecare.fhir.services.stored import create, delete, one_at_a_time, update

__all__ = [
    "ExportDraft",
    "ask_export",
    "cancel_export",
    "create",
    "delete",
    "expire",
    "exported",
    "exported_version",
    "fetch_file",
    "forget",
    "looked",
    "make",
    "note_refusal",
    "one_at_a_time",
    "update",
]
