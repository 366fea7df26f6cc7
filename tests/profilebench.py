"""What profiles make of payloads, without a register."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import pytest

from devices.errors import Undecodable
from devices.language.forms import compile_form
from devices.language.openers import Toolbox
from devices.language.profile import Profile
from devices.message import Record
from devices.reading import Value

EIGHT = 1_795_334_400_000_000_000
"""2026-11-22T08:00:00Z"""

Keys: TypeAlias = dict[str, Any]
"""Keys of a form, and arguments of the functions below."""

_NO_PARTS: Mapping[str, str] = {}


def read(
    payload: str | bytes,
    *,
    topic_parts: Mapping[str, str] = _NO_PARTS,
    received: int = EIGHT,
    zone: str = "UTC",
    by_topic: bool = True,
    codec_file: str = "",
    **form: Any,  # noqa: ANN401 - keys of a form
) -> list[Record] | None:
    """The records of a payload, None where it is of another form, by a form of message as a profile says it."""
    codec = {"codec": "vendor.js"} if codec_file else {}
    profile = Profile.model_validate({"id": "p"} | codec | form).with_codecs(lambda _name: codec_file)
    read_form = compile_form(profile, Toolbox(zone), by_topic=by_topic)
    return read_form(payload if isinstance(payload, bytes) else payload.encode(), received, topic_parts)


def read_values(payload: str | bytes, **form: Any) -> list[dict[str, Value]]:  # noqa: ANN401 - keys of a form
    """The points of each record."""
    return [values for _, values, _ in read(payload, **form) or ()]


def refuse(payload: str | bytes, **form: Any) -> str:  # noqa: ANN401 - keys of a form
    """Why a payload cannot be read."""
    with pytest.raises(Undecodable) as raised:
        read(payload, **form)
    return raised.value.reason
