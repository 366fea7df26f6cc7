"""Credentials: a card number becomes a keyed hash before it reaches a reading. Who went where is personal data.

What is stored is `KEY:HASH`, such as `k3:9f2c…`: the id of the key and the first 128 of the 256 bits of
HMAC-SHA-256. RFC 2104 (section 5) advises no less than these; among a million cards two of them meet by chance once
in 10^26 sites. Every value is hashed, also one that looks like a hash: nothing that a device sends gets past.
"""

import hmac
import re
from dataclasses import dataclass, field

HIDDEN = "(hidden)"
"""Stands for every credential where there is no key."""

_HASH_BYTES = 16

_SPACED_BYTES = re.compile(r"[0-9a-f]{2}([:. -])(?:[0-9a-f]{2}\1){2,}[0-9a-f]{2}").fullmatch
"""Four bytes or more, as no number made of a facility and a card is written."""
_PREFIXED = re.compile(r"0x[0-9a-f]+").fullmatch
_DECIMAL = re.compile(r"[0-9]+").fullmatch


@dataclass(frozen=True)
class Key:
    """One key of the hash.

    Attributes:
        id: short, stands in front of what it made.
        secret: 32 random bytes.
    """

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Hasher:
    """Hashes credentials with the newest key. It keeps none of what it hashed.

    Attributes:
        keys: newest first; without any, `hash` hides every credential.
    """

    keys: tuple[Key, ...] = ()

    def hash(self, text: str) -> str:
        """What is stored for a credential: the same for all ways to write it (see `normalize`)."""
        return _hash(self.keys[0], normalize(text)) if self.keys else HIDDEN

    def candidates(self, text: str) -> list[str]:
        """What may have been stored for a credential, under each of the keys, newest first."""
        normal = normalize(text)
        return [_hash(key, normal) for key in self.keys]


def normalize(text: str) -> str:
    """One text for a credential however readers write it.

    Case, blanks at the ends, a leading `0x`, leading zeros of a decimal number (numbers in JSON have none), and what
    stands between four or more hexadecimal bytes make no difference: `1C:00:44:CF:23` is `1c0044cf23`.
    """
    text = text.strip().casefold()
    spaced = _SPACED_BYTES(text)
    if spaced:
        text = text.replace(spaced[1], "")
    elif _PREFIXED(text):
        text = text[2:]
    return text.lstrip("0") or "0" if _DECIMAL(text) else text


def _hash(key: Key, text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")  # a codec's text may be no Unicode
    return f"{key.id}:{hmac.digest(key.secret, data, 'sha256')[:_HASH_BYTES].hex()}"
