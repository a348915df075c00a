from datetime import timedelta
from typing import Any

from django.utils import timezone

from shoufu.kernel.access import services as access
from shoufu.kernel.access.models import User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.access.services import RoleDraft, UserDraft
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.cases.models import Case
from shoufu.kernel.devices import services as devices
from shoufu.kernel.doors import services as doors
from shoufu.kernel.evidence.models import Export
from shoufu.kernel.imports import services as imports
from shoufu.kernel.media.models import MediaObject
from shoufu.kernel.parties import services as parties
from shoufu.kernel.parties.models import Departure
from shoufu.kernel.places import services as places
from shoufu.kernel.places.services import PlaceDraft
from shoufu.kernel.privacy.models import Delegation
from shoufu.kernel.referrals import services as referrals
from shoufu.kernel.rules.models import Rehearsal, Rule, RuleVersion
from tests.kernel.access.rights.rows_kernel import RULE
from tests.kernel.access.rights.shape import Side
from tests.kernel.access.rights.sides_community import community, vehicles_of
from tests.kernel.access.rights.sides_homecare import homecare
from tests.kernel.access.rights.sides_money import bookings_of, payments_of


def side(tag: str, name: str, district: str) -> Side:
    """Build one compound of a district; `tag` is in the name of everything there."""
    compound, area = places.create_many(
        SYSTEM,
        [
            PlaceDraft("compound", f"{name}-compound", f"{tag} compound", district),
            PlaceDraft("area", f"{name}-area", f"{tag} area", f"{name}-compound"),
        ],
    )
    device = devices.register(SYSTEM, devices.DeviceDraft(f"{tag}-cam", "camera", f"{tag} camera", compound.pk)).device
    person = parties.create_person(SYSTEM, parties.PersonDraft(f"{tag} person", compound.pk))
    drafts = [parties.HouseholdDraft(area.pk, number, f"{tag}-{number}") for number in ("1", "2")]
    home, other = parties.create_households(SYSTEM, drafts)
    since = timezone.localdate() - timedelta(days=9)
    (residency,) = parties.move_in(SYSTEM, [parties.ResidencyDraft(person.pk, home.pk, since=since)])
    office = parties.OrganisationDraft(f"{tag}-office", "company", f"{tag} office", compound.pk)
    (organisation,) = parties.create_organisations(SYSTEM, [office])
    job = parties.MembershipDraft(person.pk, organisation.pk, f"{tag} job", since)
    (membership,) = parties.add_members(SYSTEM, [job])
    plate = "辽A11111" if name == "home" else "辽A99999"
    vehicle = parties.register_vehicle(SYSTEM, parties.VehicleDraft(plate, compound.pk, since=since))
    parties.give_consent(SYSTEM, person.pk, "welfare", "form")
    user = access.create_user(SYSTEM, UserDraft(f"{tag}-user", f"{tag} user"))
    assignment = access.give_role(SYSTEM, RoleDraft(user.pk, "guard", compound.pk))
    token = access.create_token(actor_for_user(user), f"{tag} token")
    case, second = _cases(tag, compound)
    rule = Rule.objects.create(code=f"{tag}-rule", name=f"{tag} rule", place=compound)
    draft = RuleVersion.objects.create(rule=rule, number=1, spec=RULE, state="draft", author="test")
    now = timezone.now()
    rehearsal = Rehearsal.objects.create(
        **{
            f.name: value
            for f, value in ((f, _sample(f, draft, user, now)) for f in Rehearsal._meta.concrete_fields)
            if value is not None
        }
    )
    media = MediaObject.objects.create(
        id=uuid7(), kind="snapshot", content_type="image/png", size=1, sha256=b"x" * 32, key=f"{tag}/x.png",
        device=device, place=compound, t=now, keep_until=now + timedelta(days=1),
    )  # fmt: skip
    destination = referrals.create_destination(
        SYSTEM,
        referrals.DestinationDraft(
            f"{tag}-desk", organisation.pk, compound.pk, f"{tag} desk", "console", "officers", policy={}
        ),
    ).row
    policy = referrals.create_policy(
        SYSTEM, referrals.PolicyDraft(destination.pk, compound.pk, f"{tag} policy", active=False)
    )
    referral = referrals.refer(SYSTEM, referrals.Draft(second, destination.pk, f"{tag} reason"))
    export = Export.objects.create(
        number=f"E-{tag}-1", case_id=case, place=compound, recipient=f"{tag} recipient", reason="test",
        asked_by="test", asked_at=now, expires_at=now + timedelta(days=1),
    )  # fmt: skip
    carer = parties.create_person(SYSTEM, parties.PersonDraft(f"{tag} carer", compound.pk))
    granted = Delegation.objects.create(person=person, delegate=carer, scopes=["data.view"], since=now)
    entry = AuditEntry.objects.filter(place=compound.pk).order_by("id").first()
    assert entry is not None
    ids = {
        "place_id": compound.pk, "area_id": area.pk, "path": compound.path, "device_id": device.pk,
        "person_id": person.pk, "household_id": home.pk, "other_household_id": other.pk,
        "residency_id": residency.pk,
        "organisation_id": organisation.pk, "membership_id": membership.pk,
        "vehicle_id": vehicle.pk, "user_id": user.pk,
        "assignment_id": assignment.pk, "token_id": token.row.pk, "case_id": case, "other_case_id": second,
        "destination_id": destination.pk, "policy_id": policy.pk, "referral_id": referral.pk, "export_id": export.pk,
        "rule_id": rule.pk, "version_id": draft.pk, "rehearsal_id": rehearsal.pk, "media_id": media.pk,
        **_doors(tag, name, compound, person.pk),
        **_register(tag, compound, person.pk, home.pk),
        **vehicles_of(tag, compound, device.pk),
        **payments_of(tag, compound, organisation.pk, person.pk),
        **community(tag, compound, person.pk, home.pk, device.pk),
        **bookings_of(tag, compound, user),
        "delegation_id": granted.pk,
        "entry_id": entry.pk, "endpoint_id": 0, "provider": "wechat",
        "name": "acknowledge", "code": "en", "token": "x", "kind": "repair",
    }  # fmt: skip
    made = Side(name, ids)
    homecare(tag, compound, made)
    return made


def _cases(tag: str, place: Any) -> list[int]:
    now = timezone.now()
    made = [
        Case.objects.create(
            number=f"{tag}-{n}",
            kind="case.manual",
            title=f"{tag} case",
            severity="low",
            severity_rank=3,
            place=place,
            opened_at=now,
            known_at=now,
            last_at=now,
        )
        for n in (1, 2)
    ]
    return [case.pk for case in made]


def _register(tag: str, compound: Any, person: int, home: int) -> dict[str, Any]:
    """An import that waits, and the receipt of a leaving."""
    now = timezone.now()
    draft, _preview = imports.upload(SYSTEM, "staff", compound.pk, f"{tag}.csv", f"姓名,单位\n{tag},x\n".encode())
    left = Departure.objects.create(
        person_id=person, household_id=home, place=compound, cause="moved_out", at=now, author=f"{tag} author"
    )
    return {"import_id": draft.pk, "departure_id": left.pk, "kind_code": "people"}


def _doors(tag: str, name: str, compound: Any, person: int) -> dict[str, int]:
    """A gate with its controller, a level, a schedule, a person's card, a pass, a lock-down and a remote opening."""
    place = places.create(SYSTEM, PlaceDraft("gate", f"{name}-gate", f"{tag} gate", f"{name}-compound"))
    draft = devices.DeviceDraft(f"{tag}-dc", "door_controller", f"{tag} controller", compound.pk)
    controller = devices.register(SYSTEM, draft).device
    readers = (doors.ReaderDraft("card"), doors.ReaderDraft("qr"))
    point = doors.create_point(
        SYSTEM, doors.PointDraft(f"{tag}-door", f"{tag} door", place.pk, "gate", controller.pk, readers=readers)
    )
    spans = [{"days": ["mon"], "from": "08:00", "to": "09:00"}]
    (schedule,) = doors.create_schedules(
        SYSTEM, [doors.ScheduleDraft(f"{tag}-hours", f"{tag} hours", compound.pk, spans)]
    )
    (level,) = doors.create_levels(
        SYSTEM, [doors.LevelDraft(f"{tag}-level", f"{tag} level", compound.pk, [doors.DoorDraft(point.pk)])]
    )
    doors.assign(SYSTEM, [doors.AssignmentDraft(level.pk, person=person)])
    number = "0A1A" if name == "home" else "0A1F"
    card = doors.issue(SYSTEM, doors.CredentialDraft(compound.pk, "card", number, person, label=f"{tag} card"))
    now = timezone.now()
    visit = doors.issue_pass(SYSTEM, doors.PassDraft(compound.pk, f"{tag} guest", now, now + timedelta(hours=2)))
    opened = doors.ask_open(SYSTEM, point.pk, f"{tag} reason")
    down = doors.lock_down(SYSTEM, place.pk, f"{tag} reason")
    return {
        "controller_id": controller.pk, "point_id": point.pk, "schedule_id": schedule.pk, "level_id": level.pk,
        "credential_id": card.credential.pk, "pass_id": visit.visit.pk, "request_id": opened.pk,
        "lock_down_id": down.pk,
    }  # fmt: skip


def _sample(model_field: Any, draft: RuleVersion, user: User, now: Any) -> Any:
    """A value for a required field of a rehearsal."""
    if model_field.primary_key or model_field.has_default() or model_field.null or model_field.blank:
        return None
    if model_field.is_relation:
        return draft if model_field.related_model is RuleVersion else user
    return now if model_field.get_internal_type() == "DateTimeField" else 0
