import io

import pytest

from shoufu.engines.evidence.age import CHUNK, AgeError, decrypt, encrypt, make_identity, read_recipient

SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK)


def sealed(data: bytes, **to: str) -> bytes:
    sink = io.BytesIO()
    encrypt([data[:100], data[100:]], sink, **to)
    return sink.getvalue()


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_to_a_key_opens_with_its_secret_only(size: int) -> None:
    identity, recipient = make_identity()
    data = bytes(index * 7 % 251 for index in range(size))
    box = sealed(data, recipient=recipient)
    assert b"".join(decrypt(io.BytesIO(box), identity=identity)) == data
    with pytest.raises(AgeError, match="does not open"):
        list(decrypt(io.BytesIO(box), identity=make_identity()[0]))


def test_what_was_sealed_to_a_passphrase_opens_with_it_only() -> None:
    box = sealed(b"evidence" * 100, passphrase="松山 2026")
    assert b"".join(decrypt(io.BytesIO(box), passphrase="松山 2026")) == b"evidence" * 100
    with pytest.raises(AgeError, match="does not open"):
        list(decrypt(io.BytesIO(box), passphrase="松山 2025"))


def test_a_change_or_a_cut_anywhere_is_noticed() -> None:
    identity, recipient = make_identity()
    box = sealed(b"e" * (CHUNK + 500), recipient=recipient)
    for position in [*range(260), CHUNK, len(box) - 1]:
        broken = bytearray(box)
        broken[position] ^= 1
        with pytest.raises(AgeError):
            list(decrypt(io.BytesIO(bytes(broken)), identity=identity))
    for cut in (10, 120, CHUNK + 16 + 216, len(box) - 1):
        with pytest.raises(AgeError):
            list(decrypt(io.BytesIO(box[:cut]), identity=identity))


def test_a_mistyped_recipient_is_refused_before_anything_is_sealed() -> None:
    recipient = make_identity()[1]
    assert len(recipient) == 62
    with pytest.raises(AgeError, match="checksum"):
        read_recipient(recipient[:-1] + ("q" if recipient[-1] != "q" else "p"))
    with pytest.raises(AgeError):
        read_recipient("somebody@example.org")
