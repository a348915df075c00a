"""Bech32 (BIP 173) without its limit on length, as age writes its keys."""

from collections.abc import Iterable

CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def _checksum(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            check ^= generator if (top >> bit) & 1 else 0
    return check


def _expanded(prefix: str) -> list[int]:
    return [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]


def _regrouped(data: Iterable[int], width: int, into: int, *, pad: bool) -> list[int]:
    kept, bits, result = 0, 0, []
    for value in data:
        kept, bits = (kept << width) | value, bits + width
        while bits >= into:
            bits -= into
            result.append((kept >> bits) & ((1 << into) - 1))
    rest = (kept << (into - bits)) & ((1 << into) - 1)
    if pad and bits:
        result.append(rest)
    elif not pad and (bits >= width or rest):
        raise ValueError("the padding is wrong")
    return result


def encode(prefix: str, data: bytes) -> str:
    """`prefix` (lower case), 1, and the data with their checksum."""
    values = _regrouped(data, 8, 5, pad=True)
    check = _checksum([*_expanded(prefix), *values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [(check >> 5 * (5 - position)) & 31 for position in range(6)]
    return prefix + "1" + "".join(CHARACTERS[value] for value in values)


def decode(text: str) -> tuple[str, bytes]:
    """(prefix, data). Raises ValueError where a character is wrong."""
    prefix, mark, rest = text.rpartition("1")
    if not mark or not prefix or text != text.lower():
        raise ValueError("no bech32 text in lower case")
    if any(letter not in CHARACTERS for letter in rest):
        raise ValueError("a character is wrong")
    values = [CHARACTERS.index(letter) for letter in rest]
    if len(values) < 6 or _checksum([*_expanded(prefix), *values]) != 1:
        raise ValueError("the checksum is wrong; a character was mistyped")
    return prefix, bytes(_regrouped(values[:-6], 5, 8, pad=False))
