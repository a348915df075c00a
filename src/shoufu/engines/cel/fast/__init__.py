"""Checked tree → one Python function: the fast form.

The function trusts the declared types, uses Python's own operators where those mean the same, and lets Python's
`and` and `or` stand for `&&` and `||`. Whatever goes wrong in it, a missing field, a division by zero, a value of
an unexpected type, ends in an exception; then the reference form (`closures.py`) computes the whole expression
again and says what the value or the error is. Expressions have no side effects, so that twice is as good as once.
A value that comes out of this form without an exception is the value of the reference form: each rule below has to
keep that promise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from shoufu.engines.cel import closures
from shoufu.engines.cel.check import Checked
from shoufu.engines.cel.closures import environment
from shoufu.engines.cel.fast.emitter import Emitter
from shoufu.engines.cel.syntax import Call, MessageLiteral, Node

Activation = Mapping[str, object]

MAX_DEPTH = 32
"""Deeper trees stay with the reference form: Python's own compiler limits nesting."""


class Fast:
    """The fast forms of an expression or a part of it that is outside of macros."""

    def __init__(self, facts: Checked, root: Node) -> None:
        self.facts = facts
        self.root = root
        reference = closures.build(facts, root)
        self.careful: Callable[[Activation], object] = lambda activation: reference(environment(facts, activation))

    def of_activation(self) -> Callable[[Activation], object]:
        if _too_much(self.root):
            return self.careful
        emitter = Emitter(self.facts)
        body = emitter.exact(self.root)
        # Read once, at the start: an activation that lacks one is a case for the reference form anyway.
        reads = [f"        {local} = a[{name!r}]\n" for name, local in emitter.names.items()]
        source = _FUNCTION.format(parameters="a", reads="".join(reads), body=body, again="a")
        return emitter.make(source, {"careful": self.careful})

    def of_arguments(self, names: Sequence[str]) -> Callable[..., object]:
        careful = self.careful
        missing = sorted(self._wanted() - set(names))
        if missing:
            raise ValueError(f"the expression also reads {', '.join(missing)}; add it to the names")
        if len(set(names)) != len(names):
            raise ValueError(f"a name occurs twice: {', '.join(names)}")
        if _too_much(self.root):
            return lambda *values: careful(dict(zip(names, values, strict=True)))
        emitter = Emitter(self.facts, frozenset(names))
        body = emitter.exact(self.root)
        parameters = ", ".join(emitter.names.get(name, f"unused{i}") for i, name in enumerate(names))
        again = f"dict(zip(names, ({parameters},)))" if names else "{}"
        source = _FUNCTION.format(parameters=parameters, reads="", body=body, again=again)
        return emitter.make(source, {"careful": careful, "names": tuple(names)})

    def _wanted(self) -> set[str]:
        called = {
            node.function
            for node in self.root.walk()
            if isinstance(node, Call) and node.receiver is None and node.function in self.facts.functions
        }
        late = {name for name in called if self.facts.functions[name].implementation is None}
        return set(self.facts.variables.values()) | late


_FUNCTION = """\
def evaluate({parameters}):
    try:
{reads}        return {body}
    except Exception:  # whatever it was, the reference form knows better
        return careful({again})
"""


def _too_much(node: Node) -> bool:
    """Whether the tree stays with the reference form: a message literal in it, or more depth than Python takes."""
    depth, level = 0, [node]
    while level:
        depth += 1
        if any(isinstance(part, MessageLiteral) for part in level):
            return True
        level = [child for parent in level for child in parent.children()]
    return depth > MAX_DEPTH
