"""Passing requests on to the page server."""

from shoufu.runtime.edge.proxy.proxy import Proxy

__all__ = ["Proxy"]
