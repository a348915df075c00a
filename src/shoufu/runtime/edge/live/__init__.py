"""Live push: server-sent events, limited to what the receiver may see."""

from shoufu.runtime.edge.live.hub import Hub
from shoufu.runtime.edge.live.stream import Live

__all__ = ["Hub", "Live"]
