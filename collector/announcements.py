"""Hears what devices announce of themselves at the broker, in a session of its own that ends with it."""

import secrets
import time
from contextlib import suppress
from typing import NamedTuple

from paho.mqtt.enums import MQTTProtocolVersion

from collector.checks.conversation import Conversation, Identity, Received, WrongProtocol
from collector.checks.reach import BrokerTrouble
from collector.settings import Mqtt
from devices.discovery.proposals import FILTERS
from devices.durations import NANOSECONDS

_QUIET_S = 1.0
"""What is retained comes at once: when nothing has come for this long, all of it is here."""

_SHARED = (
    "the broker names sessions after users (use_username_as_clientid), so that listening here would end the daemon's"
    " session; switch that off"
)
_MOST_BYTES = 64_000_000
_NEVER_EXPIRES = 0xFFFFFFFF


class Heard(NamedTuple):
    """What came.

    Attributes:
        messages: topic and payload; the last of each topic.
        refused: filters that the broker does not let us read.
    """

    messages: list[tuple[str, bytes]]
    refused: list[str]


def listen(settings: Mqtt, longest: int) -> Heard:
    """Listens until nothing more comes.

    Args:
        settings: broker and credentials.
        longest: time in which to stop, even where more is coming; nanoseconds.

    Raises:
        BrokerTrouble: not reached, not let in, or going on would touch the daemon's session.
        CollectorError: the password cannot be read.
    """
    name = f"{settings.client_id}-adopt-{secrets.token_hex(4)}"
    identity = Identity(name, MQTTProtocolVersion.MQTTv5)
    try:
        _look_whose_session(settings, identity)
    except WrongProtocol:
        identity = identity._replace(protocol=MQTTProtocolVersion.MQTTv311)
        _look_whose_session(settings, identity)
    with Conversation(settings, identity) as conversation:
        answers = conversation.subscribe(FILTERS, retained=True)
        _wait(conversation, longest / NANOSECONDS["s"])
        messages = {message.topic: message.payload for message in conversation.messages}
        return Heard(list(messages.items()), [name for name, reason in answers.items() if reason.is_failure])


def _look_whose_session(settings: Mqtt, identity: Identity) -> None:
    """Makes sure that the broker does not name sessions after users: ending ours would end the daemon's.

    Raises:
        BrokerTrouble: it does.
    """
    expiry_s = min(settings.session_expiry // NANOSECONDS["s"], _NEVER_EXPIRES)
    with Conversation(settings, identity, keep_s=expiry_s) as conversation:
        if conversation.resumed:
            raise BrokerTrouble(_SHARED)


def _wait(conversation: Conversation, longest_s: float) -> None:
    deadline = time.monotonic() + longest_s
    seen = -1
    size = 0
    messages: list[Received] = conversation.messages
    while seen < len(messages) and size < _MOST_BYTES:
        size += sum(len(message.payload) for message in messages[max(seen, 0) :])
        seen = len(messages)
        rest_s = min(_QUIET_S, deadline - time.monotonic())
        with suppress(BrokerTrouble):  # what came before it hung up counts
            conversation.wait(lambda: len(messages) > seen, rest_s)  # noqa: B023 - asked in this round alone
