"""The households that rows name: those there are, and those to be made."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.imports.addresses import Addresses, split_address
from shoufu.kernel.imports.kinds import CellError, Record, Written
from shoufu.kernel.parties.models import Household
from shoufu.kernel.parties.services import HouseholdDraft, create_households
from shoufu.kernel.places.models import Place


class Homes:
    """Households below a place by (place, number), read once; `id_of` is known once `write` has made the new ones."""

    def __init__(self, target: Place, *, create: bool) -> None:
        self.addresses = Addresses(target)
        self._create = create
        rows = Household.objects.filter(place__path__startswith=target.path)
        self._ids = {(place, number): pk for pk, place, number in rows.values_list("pk", "place_id", "number")}
        self._new: dict[tuple[int, str], None] = {}
        self.labels: dict[tuple[int, str], str] = {}

    def find(self, record: Record, errors: list[CellError]) -> tuple[int, str] | None:
        """The (place, number) of a row's household; None with an error where it names none that can be."""
        record = self._whole(record, errors)
        if not record.get("building"):
            errors.append(CellError(record.row, "building", _("Must not be empty.")))
            return None
        if not record.get("number"):
            errors.append(CellError(record.row, "number", _("Must not be empty.")))
            return None
        place = self.addresses.home(record, errors)
        if place is None:
            return None
        home = (place.pk, record.get("number"))
        if home not in self._ids:
            if not self._create:
                message = _("There is no household %(number)s there; import the residents first.")
                errors.append(CellError(record.row, "number", message % {"number": home[1]}))
                return None
            self._new.setdefault(home)
        if home not in self.labels:
            self.labels[home] = " ".join(self._words(record))
        return home

    def _whole(self, record: Record, errors: list[CellError]) -> Record:
        address = record.get("address")
        if not address or record.get("building"):
            return record
        parts = split_address(address)
        if not parts:
            message = _("Write the address like 5-2-301 (building, unit, number), or use three columns.")
            errors.append(CellError(record.row, "address", message))
        return Record(record.row, {**parts, **record.values})

    def _words(self, record: Record) -> Iterator[str]:
        for name in ("compound", "building", "unit", "number"):
            if record.get(name):
                yield str(record.get(name))

    def known(self, home: tuple[int, str]) -> int | None:
        """The id of a household that is there already."""
        return self._ids.get(home)

    def write(self, actor: Actor, written: Written) -> None:
        """Make the households that are missing."""
        made = create_households(actor, [HouseholdDraft(place, number) for place, number in self._new])
        written.add(made)
        self._ids |= {(row.place_id, row.number): row.pk for row in made}

    def id_of(self, home: tuple[int, str]) -> int:
        return self._ids[home]
