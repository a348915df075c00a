from shoufu.scenes.homecare.fhir.services.looks import looked
from shoufu.scenes.homecare.fhir.services.refusals import note_refusal
from shoufu.scenes.homecare.fhir.services.retention import exported, forget
from shoufu.scenes.homecare.fhir.services.stored import create, delete, one_at_a_time, update

__all__ = ["create", "delete", "exported", "forget", "looked", "note_refusal", "one_at_a_time", "update"]
