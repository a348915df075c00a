from collections.abc import Iterable
from typing import Any

from django.db.models import Field, Lookup, Q


class Among(Lookup):  # type: ignore[type-arg]
    """`field__among=[…]`: one array parameter. With `__in` ten thousand values are as many parameters to parse."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:  # type: ignore[override]
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", (*params, list(self.rhs))


Field.register_lookup(Among)


def among(field: str, values: Iterable[Any]) -> Q:
    """The condition "the field is one of these", for many values."""
    found = list(values)
    return Q(**{f"{field}__among": found}) if found else Q(pk__in=[])
