import hashlib
import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import override

from shoufu.kernel.audit.services import Act
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.doors import paths
from shoufu.kernel.doors.models import DoorGroup
from shoufu.kernel.doors.services import PassDraft, issue_pass
from shoufu.kernel.doors.services.passes import MOST_USES
from shoufu.kernel.notices.services import About, notify_user
from shoufu.kernel.parties.selectors import home_label
from shoufu.scenes.community.acting import accounts_of, lent, people_of
from shoufu.scenes.community.visitors.models import Invitation

VIEW, HANDLE, MANAGE = "visitors.view", "visitors.handle", "visitors.manage"
INVITE_SCOPE = "visitors.invite"
TOKEN_BYTES = 16


def new_token() -> tuple[str, bytes]:
    """A link's secret of 128 random bits and its SHA-256, which alone is kept."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, hash_of(token)


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def locked(invitation_id: int) -> Invitation:
    """The row, locked; NotFound when there is none."""
    rows = Invitation.objects.select_for_update(of=("self",)).select_related(
        "household__place__parent__parent", "place", "host", "visit__credential"
    )
    found = rows.filter(pk=invitation_id).first()
    if found is None:
        raise unknown(invitation_id)
    return found


def unknown(invitation_id: int) -> NotFound:
    return NotFound(_("There is no visit %(id)s that you may see.") % {"id": invitation_id})


def act(action: str, row: Invitation, reason: str = "", **data: object) -> Act:
    """The audit entry of a change of a visit; names stay out, the host may read it."""
    return Act(action, row, place=row.place_id, reason=reason, subject=row.host_id, data={"kind": row.kind, **data})


def give_pass(actor: Actor, row: Invitation) -> None:
    """Issue the pass of a visit, where doors on the way take codes, for doors that the home's people may pass.

    The pass does not carry the visitor's name: doors keep their passes longer than visits are kept.
    """
    points = [point.pk for point in paths.on_the_way(row.place) if point.group_bit >= 0]
    covered = any(row.place.path.startswith(group.place.path) for group in DoorGroup.objects.select_related("place"))
    if not points or not covered:
        return
    # One visit passes every door on the way once; what doors count is passes of doors.
    passes = row.maximum * len(points) if row.maximum else None
    purpose = {"food": "courier"}.get(row.kind, row.kind)
    draft = PassDraft(
        place=row.place_id,
        holder=_("Visit %(n)d") % {"n": row.pk},
        since=row.since,
        until=row.until,
        purpose=purpose,
        host=row.host_id,
        maximum=passes if row.windows or passes is None else min(passes, MOST_USES),
        points=tuple(points),
        windows=row.windows,
        rotating=True,
    )
    issued = issue_pass(lent(actor, row.place.path, "doors.admit"), draft)
    row.visit = issued.visit


def tell_home(actor: Actor, row: Invitation, template: str, event: str) -> int:
    """Tell the host, or everybody of the home where no host is known, and who may act for them; how many accounts."""
    people = {row.host_id} if row.host_id else people_of(row.household_id)
    told = accounts_of({pk for pk in people if pk}, INVITE_SCOPE)
    about = About(row.place, f"{row.pk}:{event}", {language: _words(row, language) for language in ("zh-hans", "en")})
    for user in told:
        notify_user(actor, template, about, user)
    return len(told)


def _words(row: Invitation, language: str) -> dict[str, str]:
    zone = ZoneInfo(row.place.time_zone)

    def clock(moment: datetime | None) -> str:
        return f"{moment.astimezone(zone):%m-%d %H:%M}" if moment else ""

    with override(language):
        return {
            "visitor": shown_name(row),
            "home": home_label(row.household),
            "time": clock(row.left_at or row.arrived_at or row.created_at),
            "until": clock(row.until),
            "reason": row.reason or row.get_kind_display(),
        }


def shown_name(row: Invitation) -> str:
    """The visitor's name; the kind where none was given."""
    return row.visitor or row.get_kind_display()
