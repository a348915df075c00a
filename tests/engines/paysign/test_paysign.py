import base64

import pytest

from shoufu.engines import paysign
from shoufu.engines.paysign import alipay, wechat

PEM = paysign.new_private_pem()
KEY = paysign.private_key(PEM)
PUBLIC = paysign.public_key(paysign.public_pem(KEY))
OTHER = paysign.private_key(paysign.new_private_pem())


def test_the_texts_that_are_signed_are_those_of_the_documentation():
    assert wechat.request_message("GET", "/v3/x?a=1", "1554208460", "n", "") == b"GET\n/v3/x?a=1\n1554208460\nn\n\n"
    assert wechat.answer_message("1722850421", "n", b'{"a":1}') == b'1722850421\nn\n{"a":1}\n'
    form = {"b": "2", "a": "中", "sign_type": "RSA2", "empty": "", "sign": "x"}
    assert alipay._joined(form, frozenset({"sign"})) == "a=中&b=2&sign_type=RSA2".encode()
    assert alipay._joined(form, frozenset({"sign", "sign_type"})) == "a=中&b=2".encode()


def test_wechat_both_ways():
    header = wechat.authorization(
        KEY, mchid="m", serial="s", method="POST", target="/v3/x", timestamp="1", nonce="n", body="{}"
    )
    parts = wechat.read_authorization(header)
    assert wechat.verify_request(PUBLIC, "POST", "/v3/x", "1", "n", "{}", parts["signature"])
    assert not wechat.verify_request(PUBLIC, "POST", "/v3/y", "1", "n", "{}", parts["signature"])
    assert wechat.read_authorization("Bearer x") == {}
    signature = wechat.sign_answer(KEY, "1", "n", b"body")
    assert wechat.verify_answer(PUBLIC, "1", "n", b"body", signature)
    for wrong in (("2", "n", b"body"), ("1", "m", b"body"), ("1", "n", b"bodies")):
        assert not wechat.verify_answer(PUBLIC, *wrong, signature)
    assert not wechat.verify_answer(PUBLIC, "1", "n", b"body", "no base64 …")
    assert not wechat.verify_answer(OTHER.public_key(), "1", "n", b"body", signature)


def test_a_resource_opens_with_its_own_key_only():
    sealed = wechat.seal_resource(b"k" * 32, "nonce1234567", "transaction", b"plain")
    assert wechat.open_resource(b"k" * 32, "nonce1234567", "transaction", sealed) == b"plain"
    changed = base64.b64encode(bytes([base64.b64decode(sealed)[0] ^ 1]) + base64.b64decode(sealed)[1:]).decode()
    for key, nonce, associated, text in (
        (b"x" * 32, "nonce1234567", "transaction", sealed),
        (b"k" * 32, "nonce7654321", "transaction", sealed),
        (b"k" * 32, "nonce1234567", "refund", sealed),
        (b"k" * 32, "nonce1234567", "transaction", changed),
        (b"k" * 32, "nonce1234567", "transaction", "…"),
    ):
        with pytest.raises(wechat.CannotOpen):
            wechat.open_resource(key, nonce, associated, text)


def test_alipay_both_ways():
    form = {"a": "1 & 2", "b": "中", "sign_type": "RSA2"}
    form["sign"] = alipay.sign_notification(KEY, form)
    assert alipay.verify_notification(PUBLIC, form)
    assert not alipay.verify_notification(PUBLIC, form | {"a": "2"})
    assert not alipay.verify_notification(PUBLIC, form | {"sign_type": "RSA"})
    assert not alipay.verify_notification(OTHER.public_key(), form)
    request = {"method": "x", "sign_type": "RSA2"}
    assert alipay.verify_request(PUBLIC, request | {"sign": alipay.sign_request(KEY, request)})


@pytest.mark.parametrize("node", ['{"code":"10000"}', '{"a":"}\\"{","b":{"c":1}}', "{}"])
def test_an_answers_node_is_the_text_that_was_signed(node):
    body = f'{{"alipay_trade_query_response":{node},"sign":"{alipay.sign_answer(KEY, node)}"}}'
    assert alipay.answer_node(body, "alipay.trade.query") == node
    assert alipay.verify_answer(PUBLIC, node, alipay.sign_answer(KEY, node))
    assert alipay.answer_node(f'{{"error_response":{node}}}', "alipay.trade.query") == node
    assert alipay.answer_node('{"alipay_trade_query_response":{"a"', "alipay.trade.query") == ""


def test_keys_are_read_as_they_are_given_out():
    bare = "".join(PEM.splitlines()[1:-1])
    assert paysign.private_key(bare).private_numbers() == KEY.private_numbers()
    for bad in ("", "x", PEM.replace("PRIVATE", "PUBLIC")):
        with pytest.raises(paysign.BadKey):
            paysign.private_key(bad)
    with pytest.raises(paysign.BadKey):
        paysign.public_key(PEM)
