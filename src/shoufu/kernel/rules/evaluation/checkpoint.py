"""The evaluator's state as bytes: msgpack inside zstd, whole or only what changed. Never pickle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import zstandard

from shoufu.kernel.rules.evaluation.engine import Engine
from shoufu.kernel.rules.evaluation.patterns import Machine
from shoufu.kernel.rules.evaluation.rows import Key

FORMAT = 1
LEVEL = 3


class RuleState(msgspec.Struct, array_like=True):
    """One rule's keys: states, last firings for the cool-down (`heard`: of late rows), and keys forgotten."""

    version: int
    states: list[tuple[Key, msgspec.Raw]]
    fired: list[tuple[Key, int]]
    gone: list[Key]
    calmed: list[Key]
    heard: list[tuple[Key, int]] = []


class State(msgspec.Struct, array_like=True):
    """After batch `batch`. Rows that waited are read from the log again, from batch `first` on."""

    format: int
    batch: int
    first: int
    top: int
    watermark: int
    late_rows: int
    rules: list[RuleState]
    last: list[tuple[int, str, int]]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)
_decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {}


def encode(engine: Engine, *, full: bool) -> bytes:
    """The whole state, or what changed since the last call; then nothing counts as changed any more."""
    waiting = engine.buffer.first_batch
    state = State(
        format=FORMAT,
        batch=engine.batch,
        first=engine.batch + 1 if waiting is None else waiting,
        top=engine.buffer.top,
        watermark=engine.buffer.watermark,
        late_rows=engine.late_rows,
        rules=[_rule_state(found, full) for found in engine.machines.values() if full or found.dirty or found.heard],
        last=[(place, kind, t) for (place, kind), t in engine.last.items() if full or t >= engine.encoded_at],
    )
    # Rows that leave the buffer from here on are not older than the watermark: that finds what changed in `last`.
    engine.encoded_at = engine.buffer.watermark
    for found in engine.machines.values():
        found.dirty.clear()
    return zstandard.ZstdCompressor(level=LEVEL).compress(_encoder.encode(state))


def _rule_state(found: Machine[Any], full: bool) -> RuleState:
    keys: Iterable[Key] = (found.states.keys() | found.fired.keys()) if full else found.dirty
    states, fired, gone, calmed = [], [], [], []
    for key in keys:
        state = found.states.get(key)
        if state is not None:
            states.append((key, msgspec.Raw(_encoder.encode(state))))
        else:
            gone.append(key)
        last = found.fired.get(key)
        if last is not None:
            fired.append((key, last))
        else:
            calmed.append(key)
    heard = list(found.heard.items())
    return RuleState(found.rule.version, states, fired, [] if full else gone, [] if full else calmed, heard)


def restore(engine: Engine, checkpoints: Iterable[bytes]) -> int:
    """Fill an engine, whose rules are set, from a full checkpoint and the deltas after it.

    Returns the number of the first batch that must be read again for rows that were waiting (`Engine.refill`).
    Raises ValueError for a checkpoint of another format.
    """
    first = 1
    for blob in checkpoints:
        state = _decoder.decode(zstandard.ZstdDecompressor().decompress(blob))
        if state.format != FORMAT:
            raise ValueError(f"checkpoint format {state.format} is not {FORMAT}; replay the log from the beginning")
        first = state.first
        engine.batch, engine.late_rows = state.batch, state.late_rows
        engine.buffer.top, engine.buffer.watermark = state.top, state.watermark
        for rule in state.rules:
            found = engine.machines.get(rule.version)
            if found is not None:
                _fill(found, rule)
        engine.last.update({(place, kind): t for place, kind, t in state.last})
    for found in engine.machines.values():
        found.dirty.clear()
        for key, kept in found.states.items():
            deadline = found.pending(kept)
            if deadline is not None:
                found.arm(deadline, key)
    return first


def _fill(found: Machine[Any], rule: RuleState) -> None:
    decoder = _decoders.get(found.state_type)
    if decoder is None:
        decoder = _decoders[found.state_type] = msgspec.msgpack.Decoder(found.state_type)
    for key in rule.gone:
        found.states.pop(_key(key), None)
    for key in rule.calmed:
        found.fired.pop(_key(key), None)
    for key, raw in rule.states:
        found.states[_key(key)] = decoder.decode(bytes(raw))
    found.heard = {_key(key): t for key, t in rule.heard}
    for key, t in rule.fired:
        found.fired[_key(key)] = t


def _key(key: Key) -> Key:
    """A (device, feature) key comes back from msgpack as a list."""
    return tuple(key) if isinstance(key, list) else key
