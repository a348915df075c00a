from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.access import selectors, services
from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.base import registry
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.parties.models import Organisation
from shoufu.kernel.places import selectors as places

MOST_PLACES = 500


def role_name(code: str) -> str:
    """A role's name in the reader's language."""
    role = registry.roles().get(code)
    if role is None:
        return code
    return role.name_en if (get_language() or "").startswith("en") else role.name


def _day(moment: datetime | None) -> str:
    return timezone.localtime(moment).date().isoformat() if moment else ""


def list_page() -> ListPage:
    """Who has which role where."""
    return ListPage(
        title=_("People with access"),
        name="access",
        row="access/row.html",
        template="access/list.html",
        default_sort="place",
        empty=_("Give somebody a role; they appear here with the place where it counts."),
        columns=(
            Column("user", _("Account"), "user__username", lambda a: a.user.label),
            Column("role", _("Role"), "role", lambda a: role_name(a.role)),
            Column("place", _("Where"), "place__path", lambda a: a.place.label),
            Column("organisation", _("Organisation"), "", lambda a: a.organisation.name if a.organisation else ""),
            Column("since", _("Since"), "since", lambda a: _day(a.since)),
            Column("until", _("Until"), "until", lambda a: _day(a.until)),
        ),
        filters=(
            Filter(
                "role",
                _("Role"),
                lambda rows, value: rows.filter(role=value),
                [(code, role_name(code)) for code in registry.roles()],
            ),
            Filter("name", _("Full name"), lambda rows, value: rows.filter(user__display_name__icontains=value)),
        ),
    )


@needs("access.view")
def listing(request: PageRequest) -> HttpResponseBase:
    """Who has which role in the scope: filters, sort, CSV."""
    rows = selectors.assignments(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, list_page(), rows, manages=request.actor.may_anywhere("access.manage"))


@needs("access.manage")
def account(request: PageRequest, user_id: int) -> HttpResponse:
    """One account: its roles now and before, and what can be done about it."""
    return _account(request, selectors.get_user(request.actor, user_id), FormState())


def _account(request: PageRequest, user: User, form: FormState, status: int = 200) -> HttpResponse:
    rows = selectors.assignments(request.actor, ended=True).filter(user=user).order_by("-since")
    now = timezone.now()
    held = [(row, role_name(row.role), _current(row, now)) for row in rows]
    context = {"account": user, "held": held, "form": form, **_choices(request)}
    return render(request, "access/account.html", context, status=status)


def _current(row: RoleAssignment, now: datetime) -> bool:
    return row.until is None or row.until > now


def _choices(request: PageRequest) -> dict[str, Any]:
    """What the forms offer: places whose access one manages, roles of which one has all rights, offices there."""
    paths = request.actor.paths("access.manage")
    spots = [
        place
        for place in places.subtree(request.actor, request.scope.place).exclude(kind="door")[:MOST_PLACES]
        if request.actor.may("access.manage", place.path)
    ]
    offices = Organisation.objects.select_related("place").order_by("name")
    return {
        "places": spots,
        "roles": [(code, role_name(code)) for code in registry.roles()],
        "organisations": [one for one in offices if _near(one.place.path, paths)],
        "today": timezone.localdate(),
    }


def _near(path: str, managed: tuple[str, ...]) -> bool:
    return any(path.startswith(root) or root.startswith(path) for root in managed)


@needs("access.manage")
def create(request: PageRequest) -> HttpResponseBase:
    """A new account with its first role: an account without one is nobody's."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        try:
            user = services.create_user_with_role(request.actor, _user(request), _role(request, 0))
        except (Invalid, Forbidden, Conflict) as refusal:
            form, status = _refused(request, refusal), refusal.status
        else:
            messages.success(request, _("The account is made."))
            return redirect("access:account", user.pk)
    return render(request, "access/create.html", {"form": form, **_choices(request)}, status=status)


def _user(request: PageRequest) -> services.UserDraft:
    return services.UserDraft(
        username=request.POST.get("username", "").strip(),
        display_name=request.POST.get("display_name", "").strip(),
        password=request.POST.get("password") or None,
    )


def _role(request: PageRequest, user_id: int) -> services.RoleDraft:
    return services.RoleDraft(
        user_id=user_id,
        role=request.POST.get("role", ""),
        place_id=_posted(request, "place"),
        organisation_id=_number(request.POST.get("organisation", "")),
        since=_moment(request.POST.get("since", ""), "since"),
        until=_moment(request.POST.get("until", ""), "until"),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _posted(request: PageRequest, name: str) -> int:
    return _number(request.POST.get(name, "")) or 0


def _moment(text: str, name: str) -> datetime | None:
    """The start of a day in the place's zone; today and an empty field are now."""
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise Invalid.one(name, _("Not a day. Write it like 2026-11-23."))
    if name == "since" and day == timezone.localdate():
        return None
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def _refused(request: PageRequest, refusal: Invalid | Forbidden | Conflict) -> FormState:
    """What was typed with the refusal beside its field; "/0/place_id" is the field "place"."""
    fields = {error.field.rpartition("/")[2].removesuffix("_id"): str(error.message) for error in refusal.errors}
    problem = "" if fields else str(refusal.detail)
    return FormState(values=request.POST.dict(), errors=fields, problem=problem)


@require_POST
@needs("access.manage")
def act(request: PageRequest, user_id: int, name: str) -> HttpResponseBase:
    """Give a role, end one, sign the account out, or close it."""
    user = selectors.get_user(request.actor, user_id)
    acts: dict[str, Callable[[str], Any]] = {
        "give": lambda reason: services.give_role(request.actor, _role(request, user_id)),
        "end": lambda reason: services.end_role(
            request.actor, _number(request.POST.get("assignment", "")) or 0, reason
        ),
        "sign-out": lambda reason: services.sign_out(request.actor, user_id, reason),
        "close": lambda reason: services.deactivate(request.actor, user_id, reason),
    }
    if name not in acts:
        raise Invalid.one("name", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(acts)})
    try:
        acts[name](request.POST.get("reason", ""))
    except (Invalid, Forbidden, Conflict) as refusal:
        form = _refused(request, refusal)
        form.values["open"] = name
        return _account(request, user, form, refusal.status)
    messages.success(request, _("Done."))
    # Whoever had their only role here is out of sight now.
    seen = selectors.users(request.actor).filter(pk=user_id).exists()
    return redirect("access:account", user_id) if seen else redirect("access:list")
