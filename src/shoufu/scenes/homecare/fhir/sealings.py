"""The hashes by which resources are found; the resources lie under keys of people, offices and places."""

from collections.abc import Collection

from django.db import transaction

from shoufu.kernel.base.keyring import CannotDecrypt
from shoufu.kernel.base.resealing import chunks
from shoufu.scenes.homecare.fhir import sealing
from shoufu.scenes.homecare.fhir.models import Stored


class Marks:
    """Marks do not say by which key they were made; whatever opens is marked anew."""

    where = "homecare_fhir_stored.marks"

    def reseal(self) -> int:
        return sum(self._chunk(ids) for ids in chunks(Stored.objects.filter(deleted_at__isnull=True).order_by("pk")))

    @transaction.atomic
    def _chunk(self, ids: Collection[int]) -> int:
        rows = [row for row in Stored.objects.select_for_update(of=("self",)).filter(pk__in=ids) if _marked(row)]
        Stored.objects.bulk_update(rows, ["marks"], batch_size=200)
        return len(rows)

    def left(self, numbers: Collection[int]) -> int:
        return 0


def _marked(row: Stored) -> bool:
    """Whether the row opens, and was marked anew; one that does not is found by nobody either way."""
    try:
        row.marks = sealing.marks(next(sealing.opened([row], [f"{row.type}/{row.logical_id}"])))
    except CannotDecrypt:
        return False
    return True


sealings = (Marks(),)
