"""Rules as data: the document, its check against the kinds it reads, and the sentence a person reads."""

from shoufu.kernel.rules.spec.checking import KindLike, SpecError, check, result_type, variables
from shoufu.kernel.rules.spec.document import (
    Absence,
    CaseSpec,
    Count,
    Dwell,
    Key,
    Match,
    Occupancy,
    Pattern,
    RuleSpec,
    Schedule,
    Sequence,
    SeverityCode,
    Threshold,
    parse,
)
from shoufu.kernel.rules.spec.sentences import Language, Names, Sentence, Span, sentence

__all__ = [
    "Absence",
    "CaseSpec",
    "Count",
    "Dwell",
    "Key",
    "KindLike",
    "Language",
    "Match",
    "Names",
    "Occupancy",
    "Pattern",
    "RuleSpec",
    "Schedule",
    "Sentence",
    "Sequence",
    "SeverityCode",
    "Span",
    "SpecError",
    "Threshold",
    "check",
    "parse",
    "result_type",
    "sentence",
    "variables",
]
