from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """A person whose numbers are sealed as those of real ones are."""
    from shoufu.kernel.parties import services
    from shoufu.kernel.parties.services import PersonDraft

    mark = estate.mark()
    services.create_people(SYSTEM, [PersonDraft(mark, estate.place.pk, phone="13900001234", code=mark)])


neighbours = Neighbours(seed)
