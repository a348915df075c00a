"""CEL, the Common Expression Language: conditions as data, checked when they are written, fast when they run.

    program = compile("result.value > 30.0 && result.state == 'open'", {"result": result_type})
    program.closure({"result": {"value": 31, "state": "open"}})  # True

After the language definition at https://github.com/google/cel-spec, without protocol buffer messages.
"""

from shoufu.engines.cel.errors import CelError, CelEvaluationError, CelSyntaxError, CelTypeError, Unsupported
from shoufu.engines.cel.explain import Atom, Explanation, Leaf
from shoufu.engines.cel.functions import Function
from shoufu.engines.cel.program import Program, compile
from shoufu.engines.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    LIST,
    MAP,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Kind,
    Type,
)
from shoufu.engines.cel.values import Duration, Timestamp, TypeValue, UInt, from_python
from shoufu.engines.cel.vector import VectorProgram

__all__ = [
    "BOOL",
    "BYTES",
    "DOUBLE",
    "DURATION",
    "DYN",
    "INT",
    "LIST",
    "MAP",
    "NULL",
    "STRING",
    "TIMESTAMP",
    "TYPE",
    "UINT",
    "Atom",
    "CelError",
    "CelEvaluationError",
    "CelSyntaxError",
    "CelTypeError",
    "Duration",
    "Explanation",
    "Function",
    "Kind",
    "Leaf",
    "Program",
    "Timestamp",
    "Type",
    "TypeValue",
    "UInt",
    "Unsupported",
    "VectorProgram",
    "compile",
    "from_python",
]
