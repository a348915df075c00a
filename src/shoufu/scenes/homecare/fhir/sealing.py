"""Under whose key a resource lies, and the keyed hashes by which it is found without being opened."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from shoufu.engines.fhir import reading
from shoufu.engines.fhir.rest import matching
from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.engines.fhir.rest.values import Pointer, Token
from shoufu.kernel.audit import subjects
from shoufu.kernel.base import keyring
from shoufu.scenes.homecare.fhir import kinds
from shoufu.scenes.homecare.fhir.models import Stored, StoredVersion

# Numbers below nought are nobody's id among the keys of people; these lie apart for offices and places. Kept there,
# they are encrypted anew with all others when the key ring is rotated.
OFFICE, PLACE = -(10**15), -2 * 10**15
DOMAIN = "homecare.fhir"
_LONGEST_MARK = 300


def owner(person: int | None, institution: int | None, place: int) -> int:
    """Whose key seals a resource: the person's whom it is about, else the institution's, else the place's."""
    if person is not None:
        return person
    return OFFICE - institution if institution is not None else PLACE - place


def sealed(content: Mapping[str, Any], key_of: int, where: str) -> bytes | None:
    """A resource encrypted; None where the person's data was erased. `where` is "Type/id"."""
    key = subjects.keys_for([key_of])[key_of]
    if key is None:
        return None
    return subjects.seal_text(key, reading.write(dict(content)).decode(), key_of, f"{DOMAIN}:{where}")


def opened(rows: Iterable[Stored | StoredVersion], names: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The resources of rows, with the digits that they came with; `names` are "Type/id"."""
    listed = list(rows)
    keys = subjects.known_keys({row.key_of for row in listed})
    for row, where in zip(listed, names, strict=True):
        text = subjects.unseal_text(keys.get(row.key_of), bytes(row.content), row.key_of, f"{DOMAIN}:{where}")
        found, _issues = reading.read(text.encode())
        yield found


def marks(content: dict[str, Any]) -> list[int]:
    """The hashes of a resource's codes, identifiers and references, by search parameter."""
    found: set[str] = set()
    for name, parameter in kinds.searches(content["resourceType"]).items():
        if parameter.kind not in ("token", "reference", "uri") or name == "_id":
            continue
        for node in matching.found(content, parameter):
            found.update(f"{name}={text}" for text in _texts(parameter.kind, node.value))
    return sorted({_mark(text) for text in found if len(text) <= _LONGEST_MARK})


def _texts(kind: str, value: Any) -> Iterator[str]:
    if kind == "token":
        for system, code in matching.tokens(value):
            if code is not None:
                yield code
                yield f"{system or ''}|{code}"
            yield f"{system or ''}|"
        return
    reference = value.get("reference") if isinstance(value, dict) else value
    if isinstance(reference, str):
        yield reference
        if kind == "uri":
            return
        target = matching.target(reference)
        if target is not None:
            yield f"{target.type}/{target.id}"
            yield target.id


def wanted(criterion: Criterion) -> list[int] | None:
    """Hashes of which a resource that meets the criterion has at least one; None where hashes cannot tell."""
    if criterion.modifier is not None or criterion.missing is not None or criterion.parameter.code == "_id":
        return None
    texts: list[str] = []
    for value in criterion.values:
        match value:
            case Token(system, code):
                texts.append(str(code) if system is None else f"{system}|{code or ''}")
            case Pointer(kind, logical, url):
                texts += [url] if url else []
                if logical:
                    texts.append(f"{kind}/{logical}" if kind else logical)
            case str() if criterion.parameter.kind == "uri":
                texts.append(value)
            case _:
                return None
    listed = [f"{criterion.parameter.code}={text}" for text in texts]
    if any(len(text) > _LONGEST_MARK for text in listed):
        return None
    ring = keyring.ring()
    return [_number(found) for text in listed for found in ring.lookups(text, DOMAIN)]


def _mark(text: str) -> int:
    return _number(keyring.ring().lookup(text, DOMAIN))


def _number(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big", signed=True)


def digits(value: Any) -> Any:
    """A resource of the scene's own with floats as decimals, so that 36.6 stays 36.6."""
    match value:
        case dict():
            return {name: digits(inner) for name, inner in value.items()}
        case list() | tuple():
            return [digits(inner) for inner in value]
        case float():
            return Decimal(repr(value))
        case _:
            return value
