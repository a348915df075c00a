from django.db import transaction

from shoufu.kernel.audit.services import record_many
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.fhir.opened import Opened


@transaction.atomic
def looked(actor: Actor, opened: Opened, reason: str) -> None:
    """Record what a request opened, once it ended, however it ended: a refusal tells something too."""
    record_many(actor, opened.acts(reason))
