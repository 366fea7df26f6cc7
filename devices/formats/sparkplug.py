"""A Sparkplug B host application without its connection: reads what nodes publish, asks them for what is missing.

Source: Sparkplug 3.0.0 (https://sparkplug.eclipse.org/specification), chapters 4 and 5.
"""

from collections.abc import Iterable, Mapping

from msgspec import DecodeError, json

from devices.errors import Undecodable
from devices.formats.sparkplug_node import Node, State
from devices.formats.sparkplug_payload import encode_command, parse_payload
from devices.message import Part
from devices.timestamps import SECOND
from devices.topics import has_wildcard

_NAMESPACE = "spBv1.0"
_OF_NODES = frozenset({"NBIRTH", "NDATA", "NDEATH"})
_OF_DEVICES = frozenset({"DBIRTH", "DDATA", "DDEATH"})

_ASK_INTERVAL = 60 * SECOND
"""A node is asked for its birth at most this often."""


class Host:
    """What is known of all nodes of the register, and what to ask them.

    Its size depends on the register and on what the births of its nodes hold, up to a limit.

    Attributes:
        filters: MQTT topic filters for all messages of the nodes.
        changed: births came or went since the last `dump`.
    """

    def __init__(self, addresses: Iterable[str]) -> None:
        """Knows no birth: all nodes are to be asked.

        Args:
            addresses: of the devices in the register: GROUP/NODE or GROUP/NODE/DEVICE.

        Raises:
            ValueError: one of them is no such address.
        """
        self._registered: dict[str, set[str]] = {}
        for address in addresses:
            group, node, device = split_address(address)
            self._registered.setdefault(f"{group}/{node}", set()).add(device)
        self._nodes = {name: Node() for name in self._registered}
        self._wanted = set(self._nodes)
        self.filters = frozenset(f"{_NAMESPACE}/{name.replace('/', '/+/')}/#" for name in self._nodes)
        self.changed = False

    def read(self, topic: Mapping[str, str], payload: bytes) -> list[Part]:
        """What a message says; see Birth.read for the parts.

        None of it where it is a death or a command, and where the node is only the gateway of registered devices.

        Args:
            topic: its parts `group`, `type`, `node`, and `device` in messages of a device.
            payload: as it came.

        Raises:
            Undecodable: it is not Sparkplug B, or needs a birth that is not known; the node will be asked for it.
        """
        kind, device = topic["type"], topic.get("device", "")
        if kind not in (_OF_DEVICES if device else _OF_NODES):
            return []
        message = parse_payload(payload)
        name = f"{topic['group']}/{topic['node']}"
        registered = self._registered.get(name, set())
        node = self._nodes.get(name) or Node()
        parts: list[Part] = []
        complete = kind.endswith("DEATH")
        birth = node.take(kind, device, message, registered=device in registered)
        if birth is not None:
            parts, complete = birth.read(message, f"{name}/{device}" if device else name)
        if device in registered and not complete:
            node.move("loss")
        if registered:
            self._note(name, kind)
        if registered and not device and device not in registered:
            return []
        if complete:
            return parts
        raise Undecodable(
            "an alias that the last BIRTH does not have" if birth else f"no BIRTH of this {_kind_of(device)} yet",
            hint="its node is asked for one; after that: siteward quarantine retry",
        )

    def take_commands(self, now: int) -> list[tuple[str, bytes]]:
        """Topics and payloads of requests for rebirth that are due, to be published at QoS 0; each is given once.

        Args:
            now: nanoseconds since 1970.
        """
        if not self._wanted:
            return []
        due = [name for name in sorted(self._wanted) if abs(now - self._nodes[name].asked) >= _ASK_INTERVAL]
        for name in due:
            self._nodes[name].asked = now
        self._wanted.difference_update(due)
        payload = encode_command("Node Control/Rebirth", now)
        return [(f"{_NAMESPACE}/{name.replace('/', '/NCMD/')}", payload) for name in due]

    def forget(self) -> None:
        """The broker kept nothing of what was published meanwhile: no birth is sure, all nodes are to be asked."""
        for node in self._nodes.values():
            node.move("death")
        self._wanted |= self._nodes.keys()
        self.changed = True

    def dump(self) -> str:
        """All that is remembered, as a text for `load`."""
        self.changed = False
        return json.encode(self._nodes).decode()

    def load(self, text: str) -> None:
        """Takes over what a former host remembered of nodes that the register still has.

        Nodes whose births are not all known are to be asked. A text that is none of `dump` is as good as none.
        """
        try:
            former = json.decode(text, type=dict[str, Node])
        except DecodeError:
            return
        for name in self._nodes.keys() & former.keys():
            self._nodes[name] = former[name]
            if self._registered[name] <= former[name].births.keys():
                self._wanted.discard(name)

    def _note(self, name: str, kind: str) -> None:
        """What becomes of a message beside its values: births to remember, a node to ask, or to ask no more."""
        self.changed |= not kind.endswith("DATA")
        if kind == "NBIRTH":
            self._wanted.discard(name)
        elif self._nodes[name].state is not State.ALIVE and not kind.endswith("DEATH"):
            self._wanted.add(name)


def split_address(address: str) -> tuple[str, str, str]:
    """Group, node and device of an address; the device is "" where it is that of a node.

    Raises:
        ValueError: it is no such address.
    """
    group, _, rest = address.partition("/")
    node, slash, device = rest.partition("/")
    levels = (group, node, device) if slash else (group, node)
    if not all(levels) or "/" in device or has_wildcard(address):
        raise ValueError(f"expected GROUP/NODE or GROUP/NODE/DEVICE, got {address!r}")
    return group, node, device


def _kind_of(device: str) -> str:
    return "device" if device else "node"
