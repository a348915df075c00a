"""A CEL condition in words, where words can say it; its own text where they cannot."""

from __future__ import annotations

from shoufu.engines.cel import CelError
from shoufu.engines.cel.parser import parse
from shoufu.engines.cel.syntax import Binary, Call, ListLiteral, Literal, Logic, Node, Select, Unary, dotted_name
from shoufu.kernel.rules.spec.phrases import OPPOSITES, Phrases


def condition_words(text: str, words: Phrases) -> str:
    """`result.state == 'open'` → "state is open"; the text itself where it is no condition that words can say."""
    try:
        node = parse(text)
    except CelError:
        return text
    return _Words(text, words).of(node)


class _Words:
    def __init__(self, text: str, words: Phrases) -> None:
        self.text = text
        self.words = words

    def of(self, node: Node, outer: str = "") -> str:
        match node:
            case Literal(value=True):
                return self.words.always
            case Logic(operator=operator, terms=terms):
                joined = self.words.logic[operator].join(self.of(term, operator) for term in terms)
                return f"({joined})" if outer and outer != operator else joined
            case Unary(operator="!", operand=operand):
                return self._negated(operand)
            case Binary(operator=operator, left=left, right=right) if operator in self.words.operators:
                template = self.words.operators[operator]
                return template.format(left=self._value(left), right=self._value(right))
            case Select(test=True):
                return self.words.present.format(field=self._field(node))
            case Call(function="recent", arguments=(Literal(value=kind), seconds)):
                return self.words.recent.format(kind=kind, seconds=self._value(seconds))
        return self._value(node)

    def _negated(self, node: Node) -> str:
        match node:
            case Binary(operator=operator, left=left, right=right) if operator in OPPOSITES:
                template = self.words.operators[OPPOSITES[operator]]
                return template.format(left=self._value(left), right=self._value(right))
            case Select(test=True):
                return self.words.absent.format(field=self._field(node))
        if dotted_name(node):
            return self.words.negated_field.format(field=self._field(node))
        return self.words.negated.format(inner=self.of(node))

    def _field(self, node: Node) -> str:
        name = node.field if isinstance(node, Select) and node.test else dotted_name(node) or self._source(node)
        name = name.removeprefix("result.")
        return self.words.fields.get(name, name)

    def _value(self, node: Node) -> str:
        match node:
            case Literal(value=bool(value)):
                return self.words.values.get(str(value).lower(), str(value).lower())
            case Literal(value=str(value)):
                return self.words.values.get(value, value)
            case Literal(value=float(value)):
                return f"{value:g}"
            case Literal(value=value):
                return str(value)
            case ListLiteral(items=items):
                return self.words.comma.join(self._value(item) for item in items)
        return self._field(node) if dotted_name(node) else self._source(node)

    def _source(self, node: Node) -> str:
        return self.text[node.start : node.end]
