"""The walk over the tree that finds names and types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shoufu.engines.cel.check.facts import Checked
from shoufu.engines.cel.check.rules import (
    ARITHMETIC,
    KEYS,
    NUMERIC,
    ORDERED,
    accepts,
    comparable,
    fits,
    join,
    signatures,
    suggest,
)
from shoufu.engines.cel.errors import CelEvaluationError, CelTypeError
from shoufu.engines.cel.functions import TYPE_NAMES, Function, Overload, dispatch, table_for
from shoufu.engines.cel.matching import compile_pattern
from shoufu.engines.cel.messages import WRAPPERS, wrapper_of
from shoufu.engines.cel.syntax import (
    Binary,
    Call,
    Comprehension,
    Conditional,
    Ident,
    Index,
    ListLiteral,
    Literal,
    Logic,
    MapLiteral,
    MessageLiteral,
    Node,
    Select,
    Unary,
    dotted_name,
)
from shoufu.engines.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    INT,
    NULL,
    STRING,
    TYPE,
    UINT,
    Kind,
    Type,
)
from shoufu.engines.cel.values import TypeValue, UInt

_LITERALS: dict[type, Type] = {
    type(None): NULL,
    bool: BOOL,
    int: INT,
    UInt: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
}


class Checker:
    def __init__(self, facts: Checked, text: str, variables: Mapping[str, Type], functions: Iterable[Function]) -> None:
        self.facts = facts
        self.text = text
        self.variables = variables
        self.scope: dict[str, tuple[int, Type]] = {}
        for function in functions:
            if function.name in variables:
                raise CelTypeError(f"'{function.name}' is declared both as a variable and as a function; rename one")
            facts.functions[function.name] = function

    def fail(self, message: str, node: Node) -> Type:
        if self.facts.strict:
            raise CelTypeError(message, node.at)
        return DYN

    def source(self, node: Node) -> str:
        text = " ".join(self.text[node.start : node.end].split())
        return text if len(text) <= 60 else f"{text[:59]}…"

    def visit(self, node: Node) -> Type:
        found = self.type_of(node)
        self.facts.types[node] = found
        return found

    def type_of(self, node: Node) -> Type:
        match node:
            case Literal():
                return _LITERALS[type(node.value)]
            case Ident():
                return self.ident(node)
            case Select():
                return self.select(node)
            case Index():
                return self.index(node)
            case Call():
                return self.call(node)
            case Unary():
                return self.unary(node)
            case Binary():
                return self.binary(node)
            case Logic():
                for term in node.terms:
                    self.want_bool(self.visit(term), term, f"a term of {node.operator}")
                return BOOL
            case Conditional():
                return self.conditional(node)
            case ListLiteral():
                return Type.list_of(join([self.visit(item) for item in node.items]))
            case MapLiteral():
                return self.map_literal(node)
            case Comprehension():
                return self.comprehension(node)
            case MessageLiteral():
                return self.message(node)
        raise AssertionError(f"unknown node {type(node).__name__}")

    # Names

    def ident(self, node: Ident) -> Type:
        if not node.rooted and node.name in self.scope:
            slot, found = self.scope[node.name]
            self.facts.locals[node] = slot
            return found
        return self.global_name(node, node.name) or self.unknown_name(node)

    def global_name(self, node: Node, name: str) -> Type | None:
        if name in self.variables:
            self.facts.variables[node] = name
            return self.variables[name]
        if name in TYPE_NAMES:
            self.facts.constants[node] = TypeValue(name)
            return TYPE
        return None

    def unknown_name(self, node: Ident) -> Type:
        self.facts.variables[node] = node.name
        if node.name in self.facts.functions:
            return self.fail(f"'{node.name}' is a function; call it: {node.name}(…)", node)
        return self.fail(f"unknown name '{node.name}'{suggest(node.name, self.variables, 'there are')}", node)

    def select(self, node: Select) -> Type:
        if not node.test and (name := dotted_name(node)) and not self.is_local_root(node):
            found = self.global_name(node, name)
            if found is not None:
                return found
        operand = self.visit(node.operand)
        found = self.field_of(operand, node.field, node.operand, node)
        return BOOL if node.test else found

    def is_local_root(self, node: Node) -> bool:
        while isinstance(node, Select):
            node = node.operand
        return isinstance(node, Ident) and not node.rooted and node.name in self.scope

    def field_of(self, operand: Type, name: str, owner: Node, node: Node) -> Type:
        if operand.kind is Kind.DYN:
            return DYN
        if operand.kind is Kind.MAP:
            return operand.parameters[1]
        if operand.kind is not Kind.OBJECT:
            return self.fail(f"{self.source(owner)} is {operand} and has no fields such as '{name}'", node)
        found = operand.field_type(name)
        if found is not None:
            return found
        if operand.open:
            return DYN
        known = [field_name for field_name, _ in operand.fields]
        return self.fail(f"{self.source(owner)} has no field '{name}'{suggest(name, known, 'its fields are')}", node)

    def index(self, node: Index) -> Type:
        operand, key = self.visit(node.operand), self.visit(node.index)
        if operand.kind is Kind.LIST:
            if key.kind not in (Kind.INT, Kind.DYN):
                return self.fail(
                    f"the index of the list {self.source(node.operand)} must be int, not {key}", node.index
                )
            return operand.parameters[0]
        if operand.kind is Kind.MAP:
            if not fits(operand.parameters[0], key):
                wanted = operand.parameters[0]
                return self.fail(f"the key of {self.source(node.operand)} must be {wanted}, not {key}", node.index)
            return operand.parameters[1]
        if operand.kind is Kind.OBJECT:
            if isinstance(node.index, Literal) and isinstance(node.index.value, str):
                return self.field_of(operand, node.index.value, node.operand, node.index)
            return DYN if fits(STRING, key) else self.fail(f"the key must be string, not {key}", node.index)
        if operand.kind is Kind.DYN:
            return DYN
        return self.fail(f"{self.source(node.operand)} is {operand}; only lists and maps have []", node)

    # Operators

    def want_bool(self, found: Type, node: Node, role: str) -> None:
        if found.kind in (Kind.BOOL, Kind.DYN):
            return
        self.fail(f"{self.source(node)} is {found}, but {role} must be bool; compare it with something", node)

    def unary(self, node: Unary) -> Type:
        found = self.visit(node.operand)
        if node.operator == "!":
            self.want_bool(found, node.operand, "what ! inverts")
            return BOOL
        if found.kind in (Kind.INT, Kind.DOUBLE, Kind.DYN):
            return found.not_null()
        return self.fail(f"no such overload: -{found}", node)

    def binary(self, node: Binary) -> Type:
        left, right = self.visit(node.left), self.visit(node.right)
        if self.scope and node.operator == "+":
            self.facts.within_macro.add(node)
        if node.operator in ("==", "!="):
            self.equality(node, left, right)
            return BOOL
        if node.operator == "in":
            self.membership(node, left, right)
            return BOOL
        if node.operator in ARITHMETIC:
            return self.arithmetic(node, left, right)
        both = {left.kind, right.kind} - {Kind.DYN}
        if both <= NUMERIC or (both <= ORDERED and len(both) == 1):
            return BOOL
        self.mismatch(node, left, right)
        return BOOL

    def arithmetic(self, node: Binary, left: Type, right: Type) -> Type:
        table = ARITHMETIC[node.operator]
        if node.operator == "+" and left.kind is right.kind is Kind.LIST:
            return Type.list_of(join([left.parameters[0], right.parameters[0]]))
        if found := table.get((left.kind, right.kind)):
            return found
        if left.is_dyn or right.is_dyn:
            known = right if left.is_dyn else left
            side = 1 if left.is_dyn else 0
            if (
                known.is_dyn
                or known.kind in {kinds[side] for kinds in table}
                or (node.operator == "+" and known.kind is Kind.LIST)
            ):
                return DYN
        return self.mismatch(node, left, right)

    def mismatch(self, node: Binary, left: Type, right: Type) -> Type:
        message = f"no such overload: {left} {node.operator} {right}{self.hint(node, left, right)}"
        return self.fail(message, node)

    def hint(self, node: Binary, left: Type, right: Type) -> str:
        kinds = {left.kind, right.kind}
        if kinds == {Kind.INT, Kind.DOUBLE}:
            number = node.left if left.kind is Kind.INT else node.right
            if isinstance(number, Literal):
                return f"; write {number.value}.0"
            return f"; write double({self.source(number)})"
        if Kind.NULL in kinds:
            return "; null can only be tested with == and !="
        if left.kind is Kind.OBJECT or right.kind is Kind.OBJECT:
            owner = node.left if left.kind is Kind.OBJECT else node.right
            found = left if left.kind is Kind.OBJECT else right
            return f"; {self.source(owner)} has the fields {', '.join(name for name, _ in found.fields)}"
        if Kind.STRING in kinds and kinds & NUMERIC:
            return "; put quotes around texts and none around numbers"
        return ""

    def equality(self, node: Binary, left: Type, right: Type) -> None:
        if not comparable(left, right):
            if Kind.NULL in (left.kind, right.kind):
                other = node.right if left.kind is Kind.NULL else node.left
                self.fail(f"{self.source(other)} is never null", node)
                return
            self.mismatch(node, left, right)
            return
        self.choices(node.left, left, node.right)
        self.choices(node.right, right, node.left)

    def choices(self, owner: Node, found: Type, literal: Node) -> None:
        """A text compared with a field that never has it is a typing mistake."""
        if not found.choices or not isinstance(literal, Literal) or not isinstance(literal.value, str):
            return
        if literal.value not in found.choices:
            names = [str(choice) for choice in found.choices]
            hint = suggest(literal.value, names, "it is one of")
            self.fail(f"{self.source(owner)} is never '{literal.value}'{hint}", literal)

    def membership(self, node: Binary, item: Type, container: Type) -> None:
        if container.kind is Kind.DYN:
            return
        if container.kind is Kind.OBJECT:
            element = STRING
        elif container.kind in (Kind.LIST, Kind.MAP):
            element = container.parameters[0]
        else:
            self.fail(f"{self.source(node.right)} is {container}; 'in' needs a list or a map at its right", node)
            return
        if not comparable(item, element):
            self.fail(f"{self.source(node.left)} is {item}, but {self.source(node.right)} holds {element}", node)
        if isinstance(node.right, ListLiteral):
            for candidate in node.right.items:
                self.choices(node.left, item, candidate)

    def conditional(self, node: Conditional) -> Type:
        self.want_bool(self.visit(node.test), node.test, "the condition of ?:")
        then, other = self.visit(node.then), self.visit(node.other)
        found = join([then, other])
        if found.is_dyn and not then.is_dyn and not other.is_dyn and then.kind is not other.kind:
            return self.fail(f"the branches of ?: are {then} and {other}; wrap both in dyn() if that is meant", node)
        return found

    # Aggregates and macros

    def map_literal(self, node: MapLiteral) -> Type:
        keys = [self.visit(key) for key, _ in node.entries]
        values = [self.visit(value) for _, value in node.entries]
        for (key, _), found in zip(node.entries, keys, strict=True):
            if found.kind not in KEYS or found.nullable:
                self.fail(f"a map key cannot be {found}; use int, uint, bool or string", key)
        return Type.map_of(join(keys), join(values))

    def comprehension(self, node: Comprehension) -> Type:
        source = self.visit(node.source)
        element = self.element_of(source, node)
        slot = len(self.facts.slots) + 1
        self.facts.slots[node] = slot
        outer = self.scope
        self.scope = {**outer, node.variable: (slot, element)}
        if node.predicate is not None:
            self.want_bool(self.visit(node.predicate), node.predicate, f"the condition of {node.macro}()")
        transformed = self.visit(node.transform) if node.transform is not None else DYN
        self.scope = outer
        if node.macro == "map":
            return Type.list_of(transformed)
        return Type.list_of(element) if node.macro == "filter" else BOOL

    def element_of(self, source: Type, node: Comprehension) -> Type:
        if source.kind in (Kind.LIST, Kind.MAP):
            return source.parameters[0]
        if source.kind is Kind.OBJECT:
            return STRING
        if source.kind is not Kind.DYN:
            self.fail(f"{self.source(node.source)} is {source}; {node.macro}() needs a list or a map", node)
        return DYN

    def message(self, node: MessageLiteral) -> Type:
        for _, value in node.entries:
            self.visit(value)
        wrapper = wrapper_of(node.name)
        if wrapper is None:
            names = ", ".join(sorted(WRAPPERS))
            return self.fail(f"unknown message type '{node.name}'; there are: {names}", node)
        return WRAPPERS[wrapper].type

    # Functions

    def call(self, node: Call) -> Type:
        receiver = [] if node.receiver is None else [node.receiver]
        nodes = [*receiver, *node.arguments]
        arguments = [self.visit(argument) for argument in nodes]
        if node.receiver is None and node.function in self.facts.functions:
            return self.host_call(node, self.facts.functions[node.function], arguments)
        overloads = table_for(receiver=node.receiver is not None).get(node.function)
        if overloads is None:
            return self.unknown_function(node)
        fitting = [overload for overload in overloads if accepts(overload, arguments)]
        if not fitting:
            shown = ", ".join(map(str, arguments))
            return self.fail(f"no such overload: {node.function}({shown}); it takes {signatures(overloads)}", node)
        self.fold(node, nodes, fitting)
        results = {overload.result for overload in fitting}
        return results.pop() if len(results) == 1 else DYN

    def fold(self, node: Call, nodes: list[Node], fitting: list[Overload]) -> None:
        """Compute calls of literals now, and look at literal patterns; a mistake in them is found when saving."""
        try:
            if all(isinstance(argument, Literal) for argument in nodes):
                values = tuple(argument.value for argument in nodes if isinstance(argument, Literal))
                self.facts.constants[node] = dispatch(node.function, fitting, values)
            elif node.function == "matches" and isinstance(nodes[-1], Literal):
                compile_pattern(str(nodes[-1].value))
        except CelEvaluationError as error:
            self.fail(error.message, nodes[-1])

    def host_call(self, node: Call, function: Function, arguments: list[Type]) -> Type:
        wanted = ", ".join(map(str, function.parameters))
        if len(arguments) != len(function.parameters):
            return self.fail(f"{function.name}({wanted}) takes {len(function.parameters)} arguments", node)
        for argument, found, parameter in zip(node.arguments, arguments, function.parameters, strict=True):
            if not fits(parameter, found):
                self.fail(
                    f"{self.source(argument)} is {found}, but {function.name}({wanted}) wants {parameter}", argument
                )
        return function.result

    def unknown_function(self, node: Call) -> Type:
        known: set[str] = set(table_for(receiver=node.receiver is not None))
        if node.receiver is None:
            known |= set(self.facts.functions)
        return self.fail(f"unknown function '{node.function}'{suggest(node.function, known, 'there are')}", node)
