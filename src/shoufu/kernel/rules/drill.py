from shoufu.kernel.base.neighbours import Estate, Neighbours

SPEC = {
    "kinds": ["door.state"],
    "where": "result.state == 'open'",
    "key": "device",
    "pattern": {"type": "match"},
    "cooldown": 60,
    "severity": "high",
    "case": {"kind": "manual"},
    "notify": ["guard"],
}


def seed(estate: Estate) -> None:
    """A rule with a draft that reads as a rule."""
    from shoufu.kernel.rules.models import Rule, RuleVersion

    rule = Rule.objects.create(code=estate.mark(), name=estate.mark(), name_en=estate.mark(), place=estate.place)
    RuleVersion.objects.create(rule=rule, number=1, spec=SPEC, author=estate.mark(), note=estate.mark())


neighbours = Neighbours(seed, shared=frozenset({"Checkpoint", "HistoryDay", "LateObservation"}))
