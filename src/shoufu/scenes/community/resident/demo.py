from datetime import date

from shoufu.kernel.access.models import User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.access.services import RoleDraft, UserDraft, create_users, give_roles
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.doors.services import admit
from shoufu.kernel.parties import services as parties
from shoufu.kernel.parties.models import Household, Person
from shoufu.kernel.parties.services import PersonDraft, ResidencyDraft
from shoufu.kernel.privacy.services import GrantDraft, grant
from shoufu.scenes.community.resident import services

HOME = "songshan-b5-u2-301"
# Username, person's code, name, phone, born, large print.
PEOPLE = (
    ("grandmother", "demo-grandmother", "沈玉兰", "13800000801", date(1945, 9, 12), True),
    ("daughter", "demo-daughter", "沈静", "13800000802", date(1973, 4, 3), False),
)
SCOPES = ("visitors.invite", "repairs.make", "looks.view", "vehicles.manage", "door.open", "welfare.answer")


def load(actor: Actor) -> None:
    """An 80-year-old with large print and the daughter who may act for her; a repair. A second call changes nothing."""
    home = Household.objects.select_related("place").filter(code=HOME).first()
    if home is None or User.objects.filter(username=PEOPLE[0][0]).exists():
        return
    compound = home.place.parent.parent if home.place.parent is not None else home.place
    assert compound is not None
    drafts = [PersonDraft(name, compound.pk, phone, born=born, code=code) for _u, code, name, phone, born, _l in PEOPLE]
    people: list[Person] = parties.create_people(actor, drafts)
    parties.move_in(actor, [ResidencyDraft(one.pk, home.pk, "family", date(2019, 5, 1)) for one in people])
    admit(actor, [(one.pk, home.place) for one in people])
    users = create_users(
        actor, [UserDraft(row[0], row[2], person_id=one.pk) for row, one in zip(PEOPLE, people, strict=True)]
    )
    give_roles(actor, [RoleDraft(user.pk, "resident", compound.pk) for user in users])
    User.objects.filter(username__in=[row[0] for row in PEOPLE if row[5]]).update(large_print=True)
    mother, daughter = people
    as_mother = actor_for_user(users[0])
    grant(as_mother, GrantDraft(daughter.pk, SCOPES))
    services.add_contact(as_mother, "女儿", PEOPLE[1][3], daughter.pk)
    draft = services.RequestDraft("repair", "light", "三楼楼道灯不亮，晚上看不清台阶。", person=mother.pk)
    services.ask(actor_for_user(users[1]), draft)
