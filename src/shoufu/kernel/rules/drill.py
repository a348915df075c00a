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
    """A rule with a draft that reads as a rule, and what its outcomes say."""
    from django.utils import timezone

    from shoufu.kernel.rules.models import Decision, Rule, RuleVersion, Study

    rule = Rule.objects.create(code=estate.mark(), name=estate.mark(), name_en=estate.mark(), place=estate.place)
    version = RuleVersion.objects.create(rule=rule, number=1, spec=SPEC, author=estate.mark(), note=estate.mark())
    now = timezone.now()
    counts = {"true": 0, "false_alarm": 0, "open": 0}
    Study.objects.create(rule=rule, version=version, since=now, until=now, result={"counts": counts, "proposals": []})
    Decision.objects.create(
        rule=rule,
        kind=Decision.Kind.DECLINED,
        pointer="/cooldown",
        value=90,
        reason=estate.mark(),
        author=estate.mark(),
    )


neighbours = Neighbours(seed, shared=frozenset({"Checkpoint", "HistoryDay", "LateObservation"}))
