"""A port for something that lives for seconds."""

import socket


def free() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])
