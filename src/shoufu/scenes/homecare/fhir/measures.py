"""What is measured, as FHIR writes it: LOINC codes and UCUM units."""

from decimal import Decimal
from typing import Any

from shoufu.engines.chronic.quantities import Quantity

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
# R4 asks these codes of its vital signs besides a more precise one.
ALSO = {"59408-5": "2708-6"}


def measure(quantity: Quantity) -> dict[str, Any]:
    """The code of a quantity."""
    return {"coding": [{"system": LOINC, "code": quantity.loinc, "display": quantity.text_en}], "text": quantity.text}


def amount(quantity: Quantity, value: Decimal | float | None) -> dict[str, Any] | None:
    """A Quantity with the digits that a meter shows; None for nothing."""
    if value is None:
        return None
    number = Decimal(str(value)).quantize(Decimal(1).scaleb(-quantity.decimals))
    # Whole numbers without a point, as meters write them.
    shown = int(number) if quantity.decimals == 0 else number
    return {"value": shown, "unit": quantity.unit, "system": UCUM, "code": quantity.ucum}
