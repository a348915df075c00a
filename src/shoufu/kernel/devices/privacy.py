"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from shoufu.kernel.privacy.declarations import NotPersonal

not_personal = (NotPersonal("devices.device", "a device's secret as SHA-256, and its name"),)
