"""The regular expressions: the language of RE2, and two searches that agree."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoufu.engines.cel.regex import Pattern, PatternError
from shoufu.engines.cel.regex.automaton import Automaton
from shoufu.engines.cel.regex.python import translate


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("ubb", "hubba", True),
        ("^ubb", "hubba", False),
        ("a$", "ba", True),
        ("a$", "ba\n", False),
        ("(?m)^b$", "a\nb\nc", True),
        ("a.c", "a\nc", False),
        ("(?s)a.c", "a\nc", True),
        ("(?i)straße", "STRAßE", True),
        ("(?i:A)b", "ab", True),
        ("(?i:A)b", "aB", False),
        ("(?i)[a-c]+k", "AbC\u212a", True),
        ("a(?i)b|c", "C", True),
        ("[^a-c]", "abc", False),
        ("[]a]", "]", True),
        ("[a-]", "-", True),
        (r"[\d-]+x", "1-2x", True),
        (r"[[:alpha:]_]{3}", "a_b", True),
        (r"[[:^digit:]]", "123", False),
        (r"\p{Han}{2}", "门开", True),
        (r"^\pL+$", "aé门", True),
        (r"\P{L}", "ab", False),
        (r"\d", "٣", False),
        (r"\w", "é", False),
        (r"\bopen\b", "is open now", True),
        (r"\bopen\b", "reopened", False),
        (r"\B", "", True),
        (r"\Bpen", "open", True),
        (r"\x41\x{5f00}\101\t", "A开A\t", True),
        (r"\Qa.b*\E+", "a.b*+", True),
        (r"\.\*\-\/", ".*-/", True),
        ("a{2,3}b", "aab", True),
        ("^a{2,3}$", "aaaa", False),
        ("a{,2}", "a{,2}", True),
        ("x{", "x{", True),
        ("(?P<name>a)(?<other>b)(?:c)", "abc", True),
        ("a*?b+?c??", "aab", True),
        ("(a|b|)c", "c", True),
        ("[^\\x00-\\x{10FFFF}]", "a", False),
        ("辽[A-Z][0-9A-Z]{5,6}", "牌照 辽A12345", True),
    ],
)
def test_language(pattern: str, text: str, expected: bool) -> None:
    compiled = Pattern(pattern)
    assert compiled.found(text) is expected
    assert compiled.automaton.found(text) is expected
    assert (translate(compiled.tree).search(text) is not None) is expected


@pytest.mark.parametrize(
    ("pattern", "cause"),
    [
        ("(", r"'\)' is missing"),
        (")", "too many"),
        ("[a", r"'\]' is missing"),
        ("[b-a]", "wrong way"),
        ("*a", "nothing to repeat"),
        ("a**", "repetition of a repetition"),
        ("a{3,2}", "in order"),
        ("a{1001}", "at most 1000"),
        ("(?=a)", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "back references"),
        (r"\q", "unknown escape"),
        (r"\p{Klingon}", "unknown class"),
        ("[[:foo:]]", "unknown class"),
        ("(" * 500, "nested deeper"),
        ("a" * 2000, "limit is 1000"),
        ("((a{200}){200}){200}", "states"),
        ("\\", "unknown escape"),
    ],
)
def test_what_is_not_of_the_language(pattern: str, cause: str) -> None:
    with pytest.raises(PatternError, match=cause):
        compiled = Pattern(pattern)
        assert compiled.automaton


def _write(random: Random, depth: int) -> str:
    if depth == 0:
        return random.choice(
            ["a", "b", "ab", ".", "[ab]", "[^a]", r"\w", "^", "$", r"\b", r"\B", "", "门", r"\n", "(?m)^"]
        )
    inner = [_write(random, depth - 1) for _ in range(2)]
    quantifier = random.choice(["*", "+", "?", "{2}", "{1,2}", "{2,}", "*?"])
    return random.choice(["".join(inner), f"(?:{inner[0]}|{inner[1]})", f"(?:{inner[0]}){quantifier}", f"({inner[0]})"])


@given(st.randoms(use_true_random=True))
@settings(deadline=None, max_examples=200)
def test_both_searches_agree(random: Random) -> None:
    text = _write(random, 3)
    tree = Pattern(text).tree
    automaton, python = Automaton(tree), translate(tree)
    for _ in range(20):
        subject = "".join(random.choices("ab门\n_ c", k=random.randint(0, 7)))
        assert automaton.found(subject) is (python.search(subject) is not None), (text, subject)


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|a)*b", "(a?){40}a{40}b", "(.*)(.*)(.*)(.*)(.*)c", r"^(\w+\s?)+$", "a*a*a*a*b"]
)
def test_hostile_patterns_and_texts_are_searched_in_linear_steps(pattern: str) -> None:
    """Would not come back in this century with `re` alone."""
    compiled = Pattern(pattern)
    assert compiled.found("a" * 20_000 + "!") is False
    assert len(compiled.automaton.steps) < 500


def test_remembered_steps_are_bounded() -> None:
    automaton = Automaton(Pattern("(a|b)*c").tree)
    assert automaton.found("".join(chr(0x4E00 + i) for i in range(20_900)) * 2) is False
    assert len(automaton.steps) <= 20_000
