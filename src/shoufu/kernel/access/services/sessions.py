from collections.abc import Iterable

from django.db.models import F

from shoufu.kernel.access.models import User


def end_sessions(user_ids: Iterable[int]) -> None:
    """Sign these users out everywhere, by their next request."""
    User.objects.filter(pk__in=list(user_ids)).update(session_epoch=F("session_epoch") + 1)
