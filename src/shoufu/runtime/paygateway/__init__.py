"""A payment provider of our own for development, drills and tests: it speaks as WeChat Pay v3 and Alipay do.

A separate HTTP server with keys of its own. It keeps trades in memory, signs and encrypts callbacks, repeats them until
they are taken, and makes the faults that it is told to. Never real money; never start it where others can reach it.
"""
