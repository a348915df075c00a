from dataclasses import dataclass

from django.db.models import Count, Q

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.devices import selectors as device_selectors
from shoufu.kernel.devices.models import Device


@dataclass(frozen=True)
class DeviceHealth:
    """One line of health: devices online of all in the scope."""

    online: int
    total: int

    @property
    def level(self) -> str:
        if self.total == 0:
            return "none"
        if self.online == self.total:
            return "good"
        return "warn" if self.online / self.total >= 0.9 else "bad"


def devices(actor: Actor, path: str) -> DeviceHealth:
    """Online and all devices in service below a path (one query)."""
    rows = device_selectors.visible(actor).filter(place__path__startswith=path)
    counted = rows.aggregate(total=Count("pk"), online=Count("pk", filter=Q(status=Device.Status.ONLINE)))
    return DeviceHealth(counted["online"], counted["total"])
