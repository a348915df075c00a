from datetime import timedelta

from django.utils import timezone

from shoufu.kernel.access.models import User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.parties.demo import RESIDENT
from shoufu.kernel.parties.models import Person
from shoufu.kernel.parties.selectors import homes
from shoufu.scenes.community.visitors import services
from shoufu.scenes.community.visitors.models import Invitation
from shoufu.scenes.community.visitors.services import InviteDraft


def load(actor: Actor) -> None:
    """A friend tonight, a carer every week and a parcel of the demo's resident; a second call changes nothing."""
    person = Person.objects.filter(code=RESIDENT).first()
    user = User.objects.filter(person=person).first() if person is not None else None
    if person is None or user is None or Invitation.objects.filter(host=person).exists():
        return
    home, now = homes(person.pk)[0], timezone.now()
    resident = actor_for_user(user)
    weekly = [{"days": ["tue", "fri"], "from": "09:00", "to": "11:30"}]
    services.invite(resident, InviteDraft(home.pk, now, now + timedelta(hours=4), "周晓明", plate="辽A5K2P7"))
    services.invite(
        resident,
        InviteDraft(home.pk, now, now + timedelta(days=60), "护工 刘姐", kind="care", maximum=20, windows=weekly),
    )
    services.invite(resident, InviteDraft(home.pk, now, now + timedelta(hours=1), kind="courier"))
