from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """An open assessment with one questionnaire answered in part."""
    from shoufu.scenes.homecare.assessment import services

    patient, service = estate.row("homecare_register.Patient"), estate.row("homecare_register.Service")
    row = services.begin(SYSTEM, patient.pk, service.pk)
    services.answer(SYSTEM, row.responses.get().pk, {"gait": 10})


neighbours = Neighbours(
    seed,
    values={
        "act": ("decide", "cancel", "save", "begin"),
        "decision": ("unfit",),
        "gait": ("10",),
        "at": ("2030-01-01T08:00:00+08:00",),
    },
)
