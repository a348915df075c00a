"""Erasure in the broker: JetStream keeps messages until they are read, and their bytes until their block goes."""

import asyncio
import re
from dataclasses import dataclass

import nats
from django.conf import settings
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

MOST = 100_000
PATIENCE = 4.0


@dataclass
class Broker:
    """What was done: streams looked at, messages deleted, streams whose emptied blocks were dropped."""

    reached: bool = False
    streams: int = 0
    deleted: int = 0
    purged: int = 0
    problem: str = ""


def erase(wanted: str, *, write: bool) -> Broker:
    """Delete messages that name the person, and drop the blocks of streams that hold no message any more.

    A message that was acknowledged is only marked in its block: purging an empty stream takes the bytes away.
    """
    return asyncio.run(_erase(re.compile(wanted, re.IGNORECASE) if wanted else None, write))


async def _quiet(_error: Exception) -> None:
    """What goes wrong is raised to us as well, and stands in the receipt."""


async def _erase(known: re.Pattern[str] | None, write: bool) -> Broker:
    done = Broker()
    try:
        # Without a limit of our own the client asks an absent server for ever.
        async with asyncio.timeout(PATIENCE):
            client = await nats.connect(settings.NATS_URL, connect_timeout=2, allow_reconnect=False, error_cb=_quiet)
    except (TimeoutError, OSError, Error) as error:
        done.problem = str(error) or type(error).__name__
        return done
    try:
        done.reached = True
        js = client.jetstream()
        for info in await js.streams_info():
            done.streams += 1
            name = str(info.config.name)
            if known is not None:
                done.deleted += await _messages(js, name, info.state.first_seq, info.state.last_seq, known, write)
            empty = (await js.stream_info(name)).state.messages == 0
            if empty and write and info.state.last_seq:
                await js.purge_stream(name)
                done.purged += 1
    finally:
        await client.close()
    return done


async def _messages(
    js: JetStreamContext, stream: str, first: int, last: int, known: re.Pattern[str], write: bool
) -> int:
    count, sequence = 0, first
    for _turn in range(MOST):
        if sequence > last:
            break
        try:
            message = await js.get_msg(stream, seq=sequence, subject=">", next=True)
        except NotFoundError:
            break
        text = f"{message.subject} {(message.data or b'').decode('utf-8', 'ignore')}"
        if known.search(text):
            count += 1
            if write:
                await js.delete_msg(stream, message.seq or sequence)
        sequence = (message.seq or sequence) + 1
    return count
