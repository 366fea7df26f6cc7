"""Measures how many messages the broker keeps for a client that is away: no broker says it, so it is tried.

A session of doctor's own subscribes to a private topic and goes away; messages are published there; it comes back and
counts. Nothing of it stays at the broker, except that messages over the limit count among those it dropped.
"""

import time
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from collector.checks.conversation import Conversation
from collector.checks.reach import ANSWER_S, BrokerTrouble

Opener: TypeAlias = Callable[[str, int], Conversation]
"""Prepares a conversation: what the client id ends with, and for how many seconds the session is kept."""

COUNT = 1100
"""A little more than the 1,000 that most brokers come with: the limit shows, and few messages are dropped for it."""

_PUBLISH_S = 6.0
_DRAIN_S = 4.0
_QUIET_S = 0.5
_KEEP_S = 60
_READER, _WRITER = "-reader", "-writer"
_LAST = b"last"


class Queue(NamedTuple):
    """What the broker keeps for a client that is away.

    Attributes:
        kept: messages that came when the client was back.
        limited: more had been published.
    """

    kept: int
    limited: bool


def measure_queue(open_conversation: Opener, topic: str) -> Queue:
    """Measures it, in a few seconds.

    Args:
        open_conversation: see `Opener`.
        topic: nobody else's.

    Raises:
        BrokerTrouble: it cannot be measured; the message says why.
    """
    try:
        _leave_a_subscription(open_conversation, topic)
        with open_conversation(_WRITER, 0) as writer:
            published = len(writer.publish(topic, (b"%d" % number for number in range(COUNT)), _PUBLISH_S))
        return _count_what_was_kept(open_conversation, topic, published)
    finally:
        with open_conversation(_READER, 0):
            pass  # a session that is not kept replaces the one that was


def _leave_a_subscription(open_conversation: Opener, topic: str) -> None:
    with open_conversation(_READER, _KEEP_S) as reader:
        answers = [*reader.subscribe([topic], retained=False).values(), *reader.publish(topic, [b"first"])]
        for answer in answers:
            if answer.is_failure:
                raise BrokerTrouble(f"{topic} may not be used ({answer})")
        if not reader.wait(lambda: bool(reader.messages), ANSWER_S):
            raise BrokerTrouble(f"what is published to {topic} does not come back")


def _count_what_was_kept(open_conversation: Opener, topic: str, published: int) -> Queue:
    with open_conversation(_READER, _KEEP_S) as reader:
        if not reader.resumed:
            return Queue(0, limited=True)
        deadline = time.monotonic() + _DRAIN_S
        while len(reader.messages) < published and time.monotonic() < deadline and _receives_more(reader):
            pass
        kept = len(reader.messages)
        if kept >= published:
            return Queue(kept, limited=False)
        # Messages of one topic keep their order: once this one comes, what has not come was not kept.
        reader.publish(topic, [_LAST])
        complete = reader.wait(lambda: any(message.payload == _LAST for message in reader.messages[kept:]), ANSWER_S)
        kept = sum(message.payload != _LAST for message in reader.messages)
        return Queue(kept, limited=complete and kept < published)


def _receives_more(reader: Conversation) -> bool:
    count = len(reader.messages)
    return reader.wait(lambda: len(reader.messages) > count, _QUIET_S)
