from __future__ import annotations
from shoufu.engines.cel.check import Checked
from shoufu.engines.cel.errors import Unsupported


class VectorProgram:
    def __init__(self, facts: Checked) -> None:
        raise Unsupported("no vector form yet")
