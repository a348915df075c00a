import msgspec

from shoufu.engines.welfare.habits import BINS, Habits, Longest, Settings
from shoufu.engines.welfare.watch import State, Watch

Spans = list[tuple[float, float]]


class _Packed(msgspec.Struct, array_like=True):
    since: float | None
    silences: dict[int, Spans]
    absences: Spans
    patience: tuple[float, float] | None
    events: float
    paired: float
    state: State


def pack(watch: Watch) -> bytes:
    """What a watch has learned and where it stands, as MessagePack; some kilobytes after two months of a home."""
    habits = watch.habits
    silences = {index: list(one._spans) for index, one in enumerate(habits._silences) if one._spans}
    absences = list(habits._absences._spans)
    packed = _Packed(
        habits.since, silences, absences, habits._patience, habits._events, habits._paired, state=watch.state
    )
    return msgspec.msgpack.encode(packed)


def unpack(data: bytes, settings: Settings | None = None) -> Watch:
    """The watch that `pack` took, exactly; empty `data` is a new one. Raises ValueError for anything else."""
    habits = Habits(settings or Settings())
    if not data:
        return Watch(habits)
    packed = msgspec.msgpack.decode(data, type=_Packed)
    if any(not 0 <= index < BINS for index in packed.silences):
        raise ValueError("silences of a time of day that there is not")
    habits.since, habits._patience = packed.since, packed.patience
    habits._events, habits._paired = packed.events, packed.paired
    habits._absences = _longest(packed.absences)
    for index, spans in packed.silences.items():
        habits._silences[index] = _longest(spans)
    return Watch(habits, packed.state)


def _longest(spans: Spans) -> Longest:
    found = Longest()
    found._spans.extend((ended, span) for ended, span in spans)
    return found
