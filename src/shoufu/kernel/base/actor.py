from dataclasses import dataclass


@dataclass(frozen=True)
class Grant:
    """A set of permissions inside one place subtree; `path` is the subtree root's materialised path ("/1/7/")."""

    role: str
    path: str
    permissions: frozenset[str]


@dataclass(frozen=True)
class Actor:
    """Who acts: a user, a device, or the system itself. Services take it first; selectors are limited by it.

    `kind` is "user", "device" or "system"; `id` is the row's id as text; `label` is what the audit log shows.
    """

    kind: str
    id: str
    label: str
    grants: tuple[Grant, ...] = ()
    language: str = "zh-hans"

    @property
    def is_system(self) -> bool:
        return self.kind == "system"

    @property
    def user_id(self) -> int | None:
        return int(self.id) if self.kind == "user" else None

    def paths(self, permission: str) -> tuple[str, ...]:
        """Roots of the subtrees in which the actor has this permission."""
        return tuple(grant.path for grant in self.grants if permission in grant.permissions)

    def may(self, permission: str, path: str) -> bool:
        """Whether the actor has the permission at the place with this path. The system may everything."""
        return self.is_system or any(path.startswith(root) for root in self.paths(permission))

    def may_anywhere(self, permission: str) -> bool:
        return self.is_system or bool(self.paths(permission))


SYSTEM = Actor(kind="system", id="", label="system")
