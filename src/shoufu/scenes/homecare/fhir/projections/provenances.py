"""Provenance: who put or changed a resource here by FHIR, and when."""

from collections.abc import Iterator, Sequence

from django.db.models import QuerySet

from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.fhir import selectors
from shoufu.scenes.homecare.fhir.kept import instant
from shoufu.scenes.homecare.fhir.models import Stored
from shoufu.scenes.homecare.fhir.sources import Made, Projection
from shoufu.scenes.homecare.fhir.vocabulary import HL7, filled, standard


def _rows(actor: Actor) -> QuerySet[Stored]:
    rows = selectors.stored(actor).filter(deleted_at__isnull=True).exclude(type="Provenance")
    return rows.select_related("changed_by", "institution__organisation").defer("content", "marks")


def _make(rows: Sequence[Stored]) -> Iterator[tuple[int, Made]]:
    for row in rows:
        office = row.institution.organisation.name if row.institution is not None else ""
        agent = filled(
            type=standard("provenance-participant-type", "enterer"),
            who={"display": row.changed_by.display_name if row.changed_by is not None else "—"},
            onBehalfOf={"display": office} if office else None,
        )
        code = "CREATE" if row.version == 1 else "UPDATE"
        content = {
            "target": [{"reference": f"{row.type}/{row.logical_id}/_history/{row.version}"}],
            "recorded": instant(row.updated_at),
            "activity": {"coding": [{"system": f"{HL7}v3-DataOperation", "code": code}]},
            "agent": [agent],
        }
        yield row.pk, Made(content, row.updated_at, row.person_id, row.place_id)


projection = Projection("Provenance", _rows, _make)
