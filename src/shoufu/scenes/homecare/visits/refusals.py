"""Who must not be sent to whom."""

from shoufu.scenes.homecare.register.models import Patient


def refused_people(patient: Patient) -> frozenset[int]:
    """The ids of practitioners who are not sent to a patient, because one of them refused the other."""
    return frozenset()
