from datetime import datetime
from typing import Any

from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.access import selectors, services
from shoufu.kernel.access.models import ApiToken, RoleAssignment, User
from shoufu.kernel.base import registry
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest

router = Router()


class GrantOut(Schema):
    role: str
    path: str
    permissions: list[str]


class MeOut(Schema):
    kind: str
    id: str
    label: str
    language: str
    grants: list[GrantOut]


class UserOut(Schema):
    id: int
    username: str
    display_name: str
    language: str
    is_active: bool
    last_login: datetime | None


class UserIn(Schema):
    username: str = Field(max_length=150)
    display_name: str = Field("", max_length=80)
    password: str | None = None
    person_id: int | None = None
    language: str = "zh-hans"
    email: str = ""


class PreferencesIn(Schema):
    display_name: str | None = Field(None, max_length=80)
    language: str | None = None
    theme: str | None = None
    large_print: bool | None = None


class RoleOut(Schema):
    code: str
    name: str
    name_en: str
    permissions: list[str]


class AssignmentOut(Schema):
    id: int
    user: int = Field(alias="user_id")
    role: str
    place: int = Field(alias="place_id")
    organisation: int | None = Field(alias="organisation_id")
    since: datetime
    until: datetime | None


class AssignmentIn(Schema):
    user_id: int
    role: str
    place_id: int
    organisation_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


class ReasonIn(Schema):
    reason: str = Field(max_length=200)


class TokenIn(Schema):
    name: str = Field(max_length=80)
    permissions: list[str] = Field([], description="Empty: all that one has now")
    expires_at: datetime | None = None


class TokenOut(Schema):
    id: int
    name: str
    prefix: str
    permissions: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class MadeTokenOut(Schema):
    row: TokenOut
    token: str = Field(description="Shown once")


@router.get("/me", response=MeOut)
def me(request: PageRequest) -> MeOut:
    """Who one is and what one may do where."""
    actor = request.actor
    grants = [GrantOut(role=g.role, path=g.path, permissions=sorted(g.permissions)) for g in actor.grants]
    return MeOut(kind=actor.kind, id=actor.id, label=actor.label, language=actor.language, grants=grants)


@router.patch("/me", response=UserOut)
def set_preferences(request: PageRequest, body: PreferencesIn) -> User:
    """Change one's own language, theme, print size or shown name."""
    return services.set_preferences(request.actor, services.Preferences(**body.model_dump()))


@router.get("/roles", response=list[RoleOut])
def roles(request: PageRequest) -> list[RoleOut]:
    """The roles there are, those of the scenes too, and what each may do."""
    found = registry.roles().values()
    return [RoleOut(code=r.code, name=r.name, name_en=r.name_en, permissions=sorted(r.permissions)) for r in found]


@router.get("/users", response=Page[UserOut])
def list_users(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Users of one's places."""
    rows = selectors.users(request.actor)
    return answer(rows, query, {"username": "username", "last_login": "last_login"}, UserOut.from_orm, "users")


@router.post("/users", response={201: UserOut})
def create_user(request: PageRequest, body: UserIn) -> Status[User]:
    """Make an account; it has no rights before it is given a role."""
    return Status(201, services.create_user(request.actor, services.UserDraft(**body.model_dump())))


@router.get("/users/{int:user_id}", response=UserOut)
def get_user(request: PageRequest, user_id: int) -> User:
    """One user."""
    return selectors.get_user(request.actor, user_id)


@router.post("/users/{int:user_id}/deactivate", response=UserOut)
def deactivate(request: PageRequest, user_id: int, body: ReasonIn) -> User:
    """Close an account; its roles, sessions and tokens end now."""
    return services.deactivate(request.actor, user_id, body.reason)


@router.get("/assignments", response=Page[AssignmentOut])
def list_assignments(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Who has which role where, in one's places."""
    rows = selectors.assignments(request.actor)
    return answer(rows, query, {"role": "role", "since": "since"}, AssignmentOut.from_orm, "assignments")


@router.post("/assignments", response={201: list[AssignmentOut]})
def give_roles(request: PageRequest, body: list[AssignmentIn]) -> Status[list[RoleAssignment]]:
    """Give roles, all or none; nobody gives a right that they lack there."""
    return Status(201, services.give_roles(request.actor, [services.RoleDraft(**item.model_dump()) for item in body]))


@router.post("/assignments/{int:assignment_id}/end", response=AssignmentOut)
def end_role(request: PageRequest, assignment_id: int, body: ReasonIn) -> RoleAssignment:
    """Take a role away; the user is signed out everywhere."""
    return services.end_role(request.actor, assignment_id, body.reason)


@router.get("/tokens", response=Page[TokenOut])
def list_tokens(request: PageRequest, query: Query[ListQuery]) -> Any:
    """One's own API tokens."""
    rows = selectors.tokens(request.actor)
    return answer(rows, query, {"name": "name", "created_at": "created_at"}, TokenOut.from_orm, "tokens")


@router.post("/tokens", response={201: MadeTokenOut})
def create_token(request: PageRequest, body: TokenIn) -> Status[services.MadeToken]:
    """Make an API token for oneself; its text is shown once."""
    return Status(201, services.create_token(request.actor, body.name, body.permissions, body.expires_at))


@router.post("/tokens/{int:token_id}/revoke", response=TokenOut)
def revoke_token(request: PageRequest, token_id: int) -> ApiToken:
    """Stop one of one's own API tokens."""
    return services.revoke_token(request.actor, token_id)
