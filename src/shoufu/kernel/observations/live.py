from shoufu.kernel.base.nerve import publish_on_commit
from shoufu.kernel.devices.models import Device


def device_status(device: Device) -> None:
    """Tell the live screens that a device's status changed, after the commit; its place decides who may hear it."""
    data = {"id": device.pk, "code": device.code, "status": device.status}
    message = {"path": device.place.path, "event": "status", "id": str(device.pk), "data": data}
    publish_on_commit("live.device", message)
