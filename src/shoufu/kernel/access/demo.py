from django.db import transaction

from shoufu.kernel.access.models import User
from shoufu.kernel.access.services import RoleDraft, UserDraft, create_users, give_roles
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.parties.demo import RESIDENT
from shoufu.kernel.parties.models import Person
from shoufu.kernel.places.demo import DISTRICT, SONGSHAN
from shoufu.kernel.places.models import Place

# Username, shown name, role, place and person of each account.
ACCOUNTS = (
    ("operator", "值班员 林志远", "operator", DISTRICT, "staff-operator"),
    ("manager", "物业经理 赵桂芬", "property_manager", SONGSHAN, "staff-manager"),
    ("guard", "保安 孙建国", "guard", SONGSHAN, "staff-guard"),
    ("officer", "接警员 韩冰", "alarm_officer", DISTRICT, "staff-officer"),
    ("auditor", "审计员 谢文静", "auditor", DISTRICT, "staff-auditor"),
    ("resident", "3号楼居民", "resident", SONGSHAN, RESIDENT),
    ("administrator", "管理员 周明", "administrator", DISTRICT, "staff-administrator"),
)


@transaction.atomic
def load(actor: Actor) -> None:
    """Make one account a role; a second call changes nothing. None has a password: the demo signs in by links."""
    if User.objects.filter(username=ACCOUNTS[0][0]).exists():
        return
    places = dict(Place.objects.filter(code__in={account[3] for account in ACCOUNTS}).values_list("code", "pk"))
    people = dict(Person.objects.filter(code__in=[account[4] for account in ACCOUNTS]).values_list("code", "pk"))
    users = create_users(
        actor, [UserDraft(name, shown, person_id=people[person]) for name, shown, _role, _place, person in ACCOUNTS]
    )
    give_roles(
        actor,
        [
            RoleDraft(user.pk, role, places[place])
            for user, (_name, _shown, role, place, _person) in zip(users, ACCOUNTS, strict=True)
        ],
    )
