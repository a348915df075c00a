"""Signatures and envelopes of payment providers: WeChat Pay API v3 and Alipay RSA2.

Both sides of each, so that a test gateway can speak as the provider does. No clock, no network: times and nonces are
given, and what is too old is decided by the caller.
"""

from shoufu.engines.paysign import alipay, wechat
from shoufu.engines.paysign.keys import BadKey, new_private_pem, private_key, public_key, public_pem

__all__ = ["BadKey", "alipay", "new_private_pem", "private_key", "public_key", "public_pem", "wechat"]
