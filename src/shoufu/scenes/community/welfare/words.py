"""What a watch knows, in sentences for the person whom it is about."""

from datetime import datetime

from django.utils.translation import gettext as _

from shoufu.engines import welfare as engine
from shoufu.scenes.community.welfare.models import Check

HOUR = 3600.0
DAY = 24
MORNING, EVENING = 7, 18


def span(seconds: float) -> str:
    """Hours and minutes as people say them."""
    minutes = max(0, round(seconds / 60))
    if minutes < 60:
        return _("%(m)d min") % {"m": minutes}
    if minutes % 60 == 0:
        return _("%(h)d h") % {"h": minutes // 60}
    return _("%(h)d h %(m)d min") % {"h": minutes // 60, "m": minutes % 60}


def learned(watch: engine.Watch, wall_now: float) -> str:
    """What was learned of a person, in one plain sentence."""
    habits = watch.habits
    if habits.since is None:
        return _("Nothing was heard from your sensors yet. Learning begins with the first movement.")
    days, needed = int(habits.days(wall_now)), int(habits.settings.first_days)
    if days < needed:
        left = {"days": days, "left": needed - days, "fixed": span(habits.settings.fixed)}
        return (
            _(
                "Still learning your days: %(days)d so far, %(left)d to go. Until then you are asked only after "
                "%(fixed)s without any movement."
            )
            % left
        )
    midnight = wall_now - wall_now % (DAY * HOUR)
    usual = [habits.usual_silence(midnight + hour * HOUR) for hour in range(DAY)]
    light = usual[MORNING:EVENING]
    dark = usual[EVENING:] + usual[:MORNING]
    told = {
        "days": days,
        "day": span(max(one.known for one in light)),
        "night": span(max(one.known for one in dark)),
        "ask_day": span(max(one.limit for one in light)),
        "ask_night": span(max(one.limit for one in dark)),
    }
    return (
        _(
            "Known for %(days)d days: quiet for at most %(day)s in the day and %(night)s at night. You are asked after "
            "%(ask_day)s of quiet in the day at the latest, %(ask_night)s at night."
        )
        % told
    )


def why(check: Check, now: datetime) -> str:
    """Why a check was begun: the last sign, the longest silence known, now. For the person, never for a worker."""
    if check.silent_since is None:
        return _("The daily button was not pressed in time.")
    told = {
        "known": span(check.known_seconds),
        "now": span((min(now, check.ended_at or now) - check.silent_since).total_seconds()),
    }
    if check.reason == Check.Reason.NOT_BACK:
        return (
            _("Away for %(now)s; the longest known is %(known)s.") % told
            if check.learned
            else _("Away for %(now)s; your days are still being learned.") % told
        )
    return (
        _("No movement for %(now)s; the longest quiet known at this time is %(known)s.") % told
        if check.learned
        else _("No movement for %(now)s; your days are still being learned.") % told
    )
