from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import fastjsonschema
import jsonschema
import msgspec

from shoufu.kernel.base.errors import FieldError
from shoufu.kernel.observations.limits import MAX_DEPTH
from shoufu.kernel.observations.schema.structs import INT64, Unsupported, struct_type

MAX_ERRORS = 5
NEWER_THAN_DRAFT_7 = frozenset(
    {"prefixItems", "unevaluatedProperties", "unevaluatedItems", "dependentRequired", "dependentSchemas",
     "minContains", "maxContains", "$dynamicRef", "$anchor", "$defs"}
)  # fmt: skip


class ResultError(Exception):
    """A result does not fit its kind's schema; `errors` point into the observation ("/result/…")."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


class Validator:
    """Checks results of one kind against its JSON Schema (draft 2020-12).

    `decode` takes the JSON text and returns a struct where a generated one can do the checking (0.3 µs a result),
    else plain Python values checked by compiled code.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        jsonschema.Draft202012Validator.check_schema(schema)
        self.schema = schema
        self._explainer: Any = None
        try:
            self._fast: msgspec.json.Decoder[Any] | None = msgspec.json.Decoder(struct_type(schema))
        except Unsupported:
            self._fast = None
            self._general = _general(schema)

    @property
    def generated(self) -> bool:
        """Whether a generated struct does the checking."""
        return self._fast is not None

    def decode(self, text: bytes | msgspec.Raw) -> Any:
        """The decoded result, or ResultError."""
        if self._fast is None:
            return self._decode_general(text)
        try:
            return self._fast.decode(text)
        except (msgspec.ValidationError, msgspec.DecodeError, RecursionError):
            return self._explain(text)

    def _decode_general(self, text: bytes | msgspec.Raw) -> Any:
        value = _plain(text)
        _check_size(value, "/result", 1)
        try:
            self._general(value)
        except (fastjsonschema.JsonSchemaValueException, jsonschema.ValidationError):
            return self._explain(text)
        return value

    def _explain(self, text: bytes | msgspec.Raw) -> Any:
        """All errors of a refused result; a value that the schema itself allows (1.0 for an integer) is taken."""
        value = _plain(text)
        _check_size(value, "/result", 1)
        if self._explainer is None:
            self._explainer = jsonschema.Draft202012Validator(self.schema)
        errors = [
            FieldError("/".join(("/result", *map(str, error.absolute_path))), _sentence(error))
            for _, error in zip(range(MAX_ERRORS), self._explainer.iter_errors(value), strict=False)
        ]
        if errors:
            raise ResultError(tuple(errors))
        return value


def compile_schema(schema: Mapping[str, Any]) -> Validator:
    """A validator of results, the same one for the same schema; jsonschema.SchemaError when the schema is wrong."""
    return _compiled(msgspec.json.encode(schema))


# Readers of the log ask at every batch; to check and compile a schema costs more than to read the batch.
@lru_cache(maxsize=1024)
def _compiled(schema: bytes) -> Validator:
    return Validator(msgspec.json.decode(schema))


def _general(schema: Mapping[str, Any]) -> Callable[[Any], Any]:
    if _words(schema) & NEWER_THAN_DRAFT_7:
        return jsonschema.Draft202012Validator(schema).validate
    compiled: Callable[[Any], Any] = fastjsonschema.compile(
        dict(schema) | {"$schema": "http://json-schema.org/draft-07/schema#"}, use_default=False
    )
    return compiled


def _words(schema: Any) -> set[str]:
    if isinstance(schema, Mapping):
        return set(schema).union(*(_words(inner) for inner in schema.values()))
    if isinstance(schema, list):
        return set().union(*(_words(inner) for inner in schema))
    return set()


def _plain(text: bytes | msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(text)
    except RecursionError as error:
        raise ResultError((FieldError("/result", f"Too deep: use at most {MAX_DEPTH} levels."),)) from error
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ResultError((FieldError("/result", f"{error}."),)) from error


def _check_size(value: Any, where: str, depth: int) -> None:
    if isinstance(value, int) and not -INT64 <= value < INT64:
        raise ResultError((FieldError(where, "The number does not fit 64 bits: send a smaller one."),))
    if not isinstance(value, (dict, list)):
        return
    if depth > MAX_DEPTH:
        raise ResultError((FieldError("/result", f"Too deep: use at most {MAX_DEPTH} levels."),))
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in pairs:
        _check_size(inner, f"{where}/{name}", depth + 1)


def _sentence(error: jsonschema.ValidationError) -> str:
    match error.validator:
        case "enum":
            return f"{_short(error.instance)} is not allowed: send one of {', '.join(map(str, error.validator_value))}."
        case "required":
            return f"{error.message}: add it."
        case "additionalProperties":
            return f"{error.message}: leave it out."
        case "type":
            return f"{_short(error.instance)} is not of type {error.validator_value}: send one."
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            return f"{_short(error.instance)} is out of range ({error.validator} {error.validator_value}): correct it."
        case "maxLength" | "minLength" | "maxItems" | "minItems":
            return f"{_short(error.instance)} is too long or too short ({error.validator} {error.validator_value})."
        case _:
            return f"{error.message[:200]}: correct it."


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
