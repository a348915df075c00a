"""``shoufu drill booking``: `run` starts everything and counts, `client` is a process of racing clients, `district`
makes what they race for."""
