from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.places.models import Place
from shoufu.kernel.rules.models import Rule
from shoufu.kernel.rules.services import RuleDraft, activate_many, create_rules

DOOR_TEMPLATES = ("door_duress", "door_antipassback", "door_cloned", "door_clock_lost", "door_fire", "door_stale")
TEMPLATES = ("door_held_open", "door_forced", "yard_after_hours", "vehicle_unknown", "camera_tampered", *DOOR_TEMPLATES)
DETAILED = "songshan"
ALL_DAY = "yard_all_day.demo"
ON_FOOT = "gate_on_foot.demo"
HELD_SECONDS = 20
PARTS = ("visitors", "vehicles", "patrols", "welfare", "resident")


def load(actor: Actor) -> None:
    """Switch the community's rules on in the model district; a second call changes nothing.

    Beside the templates, the detailed compound gets its yard watch round the clock and a rule for the gate's entry
    line, so that the demo shows a camera's case at any hour and with either footage, and a door may stand open for
    20 s only.
    """
    there = set(Rule.objects.values_list("code", flat=True))
    drafts = [draft for draft in _drafts() if draft.code not in there]
    rules = create_rules(actor, drafts)
    activate_many(actor, [rule.versions.get().pk for rule in rules])
    for part in PARTS:
        name = f"shoufu.scenes.community.{part}.demo"
        if find_spec(name):
            import_module(name).load(actor)


def _drafts() -> Iterator[RuleDraft]:
    templates = registry.rule_templates()
    for compound in Place.objects.filter(kind=Place.Kind.COMPOUND).order_by("path"):
        for code in TEMPLATES:
            spec = dict(templates[code].spec)
            if code == "door_held_open" and compound.code == DETAILED:
                spec["pattern"] = spec["pattern"] | {"for": HELD_SECONDS}
            yield RuleDraft(place=compound.pk, code=f"{code}.{compound.code}", template=code, spec=spec)
        if compound.code == DETAILED:
            yield _all_day(compound, dict(templates["yard_after_hours"].spec))
            spec = dict(templates["gate_on_foot"].spec)
            yield RuleDraft(place=compound.pk, code=ON_FOOT, template="gate_on_foot", spec=spec)


def _all_day(compound: Place, spec: dict[str, object]) -> RuleDraft:
    del spec["schedule"]
    spec |= {
        "where": "result.object == 'person' && result.seconds >= 5.0",
        "severity": "medium",
        "cooldown": 120,
    }
    return RuleDraft(
        place=compound.pk,
        code=ALL_DAY,
        name="院内有人停留（演示：全天）",
        name_en="Person in the yard (demo: all day)",
        template="yard_after_hours",
        spec=spec,
    )
