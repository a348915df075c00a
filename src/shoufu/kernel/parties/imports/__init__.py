"""Residents, vehicles and staff from files (see `kernel.imports.kinds`)."""

from shoufu.kernel.parties.imports.people import PEOPLE
from shoufu.kernel.parties.imports.staff import STAFF
from shoufu.kernel.parties.imports.vehicles import VEHICLES

kinds = (PEOPLE, VEHICLES, STAFF)
