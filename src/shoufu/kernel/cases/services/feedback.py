from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.cases.models import Case, Feedback
from shoufu.kernel.cases.services.moves import locked


def judge(actor: Actor, case: Case, verdict: str, text: str) -> Feedback:
    """Keep the verdict on the rule that raised the case; a later one replaces it."""
    rule = case.rule_version.rule_id if case.rule_version_id and case.rule_version else None
    return Feedback.objects.update_or_create(
        case=case,
        defaults={
            "rule_id": rule,
            "verdict": verdict,
            "text": text[:300],
            "author_id": actor.user_id,
            "at": timezone.now(),
        },
    )[0]


@transaction.atomic
def give_feedback(actor: Actor, case_id: int, verdict: str, text: str = "") -> Feedback:
    """Say what the rule that raised the case is worth: useful, false alarm, too late, too often."""
    case = locked(actor, case_id)
    if verdict not in Feedback.Verdict.values:
        raise Invalid.one("verdict", _("Choose one of the verdicts offered."))
    made = judge(actor, case, verdict, text)
    record(actor, Act("cases.feedback", case, case.place_id, data={"verdict": verdict}))
    return made
