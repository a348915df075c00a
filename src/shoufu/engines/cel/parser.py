"""Tokens → syntax tree, by recursive descent; macros become nodes of their own."""

from __future__ import annotations

from dataclasses import replace

from shoufu.engines.cel.errors import CelSyntaxError
from shoufu.engines.cel.lexer import RESERVED, Sort, Token, tokenize
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
from shoufu.engines.cel.values import INT_MAX

MAX_LENGTH = 20_000
"""Longest text, in code points."""
MAX_NESTING = 40
"""Deepest nesting of brackets, macros and branches."""
MAX_CHAIN = 100
"""Most operators of one precedence, selections or calls in one row."""
MAX_DEPTH = 150
"""Deepest syntax tree. The three limits keep every stage far from Python's recursion limit."""
MAX_MACROS = 4
"""Most macros within one another."""

_LEVELS = dict.fromkeys(("<", "<=", ">=", ">", "==", "!=", "in"), 1) | {"+": 2, "-": 2, "*": 3, "/": 3, "%": 3}
_MACROS = {"all": (2,), "exists": (2,), "exists_one": (2,), "existsOne": (2,), "map": (2, 3), "filter": (2,)}
_CONSTANTS: dict[str, object] = {"true": True, "false": False, "null": None}


def parse(text: str) -> Node:
    """The tree of `text`. Raises CelSyntaxError with the position."""
    if len(text) > MAX_LENGTH:
        raise CelSyntaxError(f"the expression has {len(text)} characters; the limit is {MAX_LENGTH}", MAX_LENGTH)
    return _Parser(tokenize(text)).parse()


def _depth(node: Node) -> int:
    depth, level = 0, [node]
    while level:
        depth += 1
        level = [child for parent in level for child in parent.children()]
    return depth


def macro_nesting(root: Node) -> int:
    """How many macros run within one another; the list a macro runs over is outside of it."""
    deepest = 0
    waiting: list[tuple[Node, int]] = [(root, 0)]
    while waiting:
        node, outer = waiting.pop()
        inner = outer + isinstance(node, Comprehension)
        deepest = max(deepest, inner)
        outside = node.source if isinstance(node, Comprehension) else None
        waiting += [(child, outer if child is outside else inner) for child in node.children()]
    return deepest


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.index = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    @property
    def last_end(self) -> int:
        return self.tokens[self.index - 1].end

    def parse(self) -> Node:
        if self.token.sort is Sort.END:
            raise CelSyntaxError("the expression is empty; write a condition such as result.value > 30.0", 0)
        node = self.expression()
        rest = self.tokens[self.index]
        if rest.sort is not Sort.END:
            raise CelSyntaxError(f"expected an operator or the end, found {rest}", rest.start)
        if _depth(node) > MAX_DEPTH:
            raise CelSyntaxError(f"the expression is deeper than {MAX_DEPTH} operations; split it", node.start)
        if macro_nesting(node) > MAX_MACROS:
            raise CelSyntaxError(f"macros are nested deeper than {MAX_MACROS}; split the expression", node.start)
        return node

    def accept(self, text: str) -> Token | None:
        token = self.token
        if token.text != text or token.sort not in (Sort.OPERATOR, Sort.KEYWORD):
            return None
        self.index += 1
        return token

    def expect(self, text: str, context: str) -> Token:
        token = self.accept(text)
        if token is None:
            raise CelSyntaxError(f"expected '{text}' {context}, found {self.token}", self.token.start)
        return token

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise CelSyntaxError(f"nested deeper than {MAX_NESTING} levels; split the expression", self.token.start)
        test = self.logic("||")
        if question := self.accept("?"):
            then = self.logic("||")
            self.expect(":", "after the first branch of ?:")
            other = self.expression()
            test = Conditional(test.start, other.end, question.start, test, then, other)
        self.depth -= 1
        return test

    def logic(self, operator: str) -> Node:
        first = self.logic("&&") if operator == "||" else self.binary(1)
        terms, at = [first], -1
        while token := self.accept(operator):
            at = token.start if at < 0 else at
            terms.append(self.logic("&&") if operator == "||" else self.binary(1))
        if len(terms) == 1:
            return first
        return Logic(first.start, terms[-1].end, at, operator, tuple(terms))

    def binary(self, lowest: int) -> Node:
        """A chain of binary operators that bind at least as tightly as `lowest`."""
        left = self.unary()
        count = 0
        while (level := self.level()) >= lowest:
            operator = self.token
            self.index += 1
            right = self.binary(level + 1)
            left = Binary(left.start, right.end, operator.start, operator.text, left, right)
            count = self.count(count, operator)
        return left

    def level(self) -> int:
        token = self.token
        return _LEVELS.get(token.text, 0) if token.sort in (Sort.OPERATOR, Sort.KEYWORD) else 0

    def count(self, count: int, token: Token) -> int:
        if count >= MAX_CHAIN:
            raise CelSyntaxError(f"more than {MAX_CHAIN} in a row; split the expression", token.start)
        return count + 1

    def unary(self) -> Node:
        operator = self.token.text
        if operator not in ("!", "-") or self.token.sort is not Sort.OPERATOR:
            return self.member(self.primary())
        marks: list[Token] = []
        while mark := self.accept(operator):
            marks.append(mark)
            self.count(len(marks), mark)
        node = self.negative_number(marks) if operator == "-" else None
        node = self.member(self.primary()) if node is None else self.member(node)
        for mark in reversed(marks):
            node = Unary(mark.start, node.end, mark.start, operator, node)
        return node

    def negative_number(self, marks: list[Token]) -> Node | None:
        """A literal that takes the last minus sign into itself: only so can the smallest int be written."""
        token = self.token
        if token.sort not in (Sort.INT, Sort.FLOAT):
            return None
        mark = marks.pop()
        self.index += 1
        value = -token.value  # type: ignore[operator]
        if token.sort is Sort.INT and value < -INT_MAX - 1:
            raise CelSyntaxError(f"-{token.text} is out of the range of int", mark.start)
        return Literal(mark.start, token.end, mark.start, value)

    def member(self, node: Node) -> Node:
        count = 0
        while True:
            if dot := self.accept("."):
                node = self.selection(node)
            elif bracket := self.accept("["):
                index = self.expression()
                end = self.expect("]", "after the index").end
                node = Index(node.start, end, bracket.start, node, index)
                dot = bracket
            elif self.token.text == "{" and self.token.sort is Sort.OPERATOR and (name := dotted_name(node)):
                return self.message(node, name)
            else:
                return node
            count = self.count(count, dot)

    def selection(self, operand: Node) -> Node:
        token = self.token
        if token.sort is Sort.QUOTED:
            self.index += 1
            return Select(operand.start, token.end, token.start, operand, str(token.value))
        if token.sort is not Sort.IDENT:
            raise CelSyntaxError(f"expected a field or function name after '.', found {token}", token.start)
        self.index += 1
        if not self.accept("("):
            return Select(operand.start, token.end, token.start, operand, token.text)
        arguments = self.items(")", "after the arguments")
        if len(arguments) in _MACROS.get(token.text, ()):
            return self.comprehension(operand, token, arguments)
        return Call(operand.start, self.last_end, token.start, token.text, arguments, operand)

    def comprehension(self, source: Node, name: Token, arguments: tuple[Node, ...]) -> Node:
        variable = arguments[0]
        if not isinstance(variable, Ident) or variable.rooted:
            raise CelSyntaxError(f"the first argument of {name.text}() must be a simple name", variable.start)
        macro = "exists_one" if name.text == "existsOne" else name.text
        rest = arguments[1:]
        predicate = rest[0] if macro != "map" or len(rest) == 2 else None
        transform = rest[-1] if macro == "map" else None
        return Comprehension(
            source.start, self.last_end, name.start, macro, source, variable.name, predicate, transform
        )

    def items(self, closing: str, context: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self.accept(closing):
            items.append(self.expression())
            if self.accept(","):
                if self.token.text == closing and closing == ")":
                    raise CelSyntaxError("expected an argument after ','", self.token.start)
                continue
            self.expect(closing, context)
            break
        return tuple(items)

    def primary(self) -> Node:
        token = self.token
        self.index += 1
        if token.sort in (Sort.STRING, Sort.BYTES, Sort.FLOAT, Sort.UINT):
            return Literal(token.start, token.end, token.start, token.value)
        if token.sort is Sort.INT:
            return self.integer(token)
        if token.sort is Sort.KEYWORD and token.text in _CONSTANTS:
            return Literal(token.start, token.end, token.start, _CONSTANTS[token.text])
        if token.sort is Sort.IDENT:
            return self.name(token, token.start, rooted=False)
        if token.text == "." and token.sort is Sort.OPERATOR and self.token.sort is Sort.IDENT:
            self.index += 1
            return self.name(self.tokens[self.index - 1], token.start, rooted=True)
        if token.sort is Sort.OPERATOR and token.text in "([{":
            return self.bracketed(token)
        self.index -= 1
        raise CelSyntaxError(f"expected a value, found {token}", token.start)

    def integer(self, token: Token) -> Node:
        if token.value > INT_MAX:  # type: ignore[operator]
            raise CelSyntaxError(
                f"{token.text} is out of the range of int; write {token.text}u or a double", token.start
            )
        return Literal(token.start, token.end, token.start, token.value)

    def bracketed(self, token: Token) -> Node:
        if token.text == "(":
            node = self.expression()
            # The parentheses belong to the node's source text, which explanations quote.
            return replace(node, start=token.start, end=self.expect(")", "to close the parenthesis").end)
        if token.text == "[":
            items = self.items("]", "to close the list")
            return ListLiteral(token.start, self.last_end, token.start, items)
        entries: list[tuple[Node, Node]] = []
        while not self.accept("}"):
            key = self.expression()
            self.expect(":", "after the key of a map entry")
            entries.append((key, self.expression()))
            if not self.accept(","):
                self.expect("}", "to close the map")
                break
        return MapLiteral(token.start, self.last_end, token.start, tuple(entries))

    def name(self, token: Token, start: int, *, rooted: bool) -> Node:
        if token.text in RESERVED:
            raise CelSyntaxError(f"'{token.text}' is a reserved word; use another name", token.start)
        if not self.accept("("):
            return Ident(start, token.end, token.start, token.text, rooted)
        arguments = self.items(")", "after the arguments")
        if token.text == "has" and not rooted:
            return self.has(token, arguments)
        return Call(start, self.last_end, token.start, token.text, arguments)

    def has(self, token: Token, arguments: tuple[Node, ...]) -> Node:
        if len(arguments) != 1 or not isinstance(arguments[0], Select) or arguments[0].test:
            raise CelSyntaxError("has() takes one field selection, as in has(result.value)", token.start)
        select = arguments[0]
        return Select(token.start, self.last_end, select.at, select.operand, select.field, test=True)

    def message(self, node: Node, name: str) -> Node:
        opening = self.expect("{", "to open the message")
        entries: list[tuple[str, Node]] = []
        while not self.accept("}"):
            field = self.token
            if field.sort not in (Sort.IDENT, Sort.QUOTED):
                raise CelSyntaxError(f"expected a field name, found {field}", field.start)
            self.index += 1
            self.expect(":", "after the field name")
            entries.append((str(field.value or field.text), self.expression()))
            if not self.accept(","):
                self.expect("}", "to close the message")
                break
        return MessageLiteral(node.start, self.last_end, opening.start, name, tuple(entries))
