"""Recordings: short MPEG-TS segments that survive a kill while they are written, and joining them to one MP4."""

from shoufu.engines.video.join import Joined, JoinError, Piece, join
from shoufu.engines.video.segment import COPIED, Chunk, EncodedSegment, Segment, SegmentWriter, salvage

__all__ = [
    "COPIED",
    "Chunk",
    "EncodedSegment",
    "JoinError",
    "Joined",
    "Piece",
    "Segment",
    "SegmentWriter",
    "join",
    "salvage",
]
