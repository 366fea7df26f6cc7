"""Vendors' codecs: JavaScript that decodes the bytes of LoRaWAN devices, in QuickJS, without access to anything."""

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import orjson

from devices.errors import Undecodable

LENGTH_MAX = 65_536
"""Most bytes that a codec is given."""

TIME_MAX_S = 0.05
"""Most CPU time for a message."""

MEMORY_MAX = 16 * 2**20
"""Most bytes of memory."""

_STACK_MAX = 2**20
_HINT_LENGTH_MAX = 200

_NO_TIME, _NO_MEMORY = "InternalError: interrupted", "InternalError: out of memory"
_LIMITS = {_NO_TIME: f"{TIME_MAX_S * 1000:.0f} ms", _NO_MEMORY: f"{MEMORY_MAX // 2**20} MB of memory"}
"""What QuickJS says where a limit is reached, and the limit."""

_Run: TypeAlias = Callable[[str | None, float, float], str | None]
"""Takes the bytes as JSON, the port, and the time in milliseconds; gives JSON, or None where memory ran out."""

_BEFORE = "(function (module, exports) { return (function () { "
_AFTER = """
;return {
  decodeUplink: typeof decodeUplink === "function" && decodeUplink,
  Decoder: typeof Decoder === "function" && Decoder,
  Decode: typeof Decode === "function" && Decode,
} }).call(this) })"""

_EXPORTED_NAMES = re.compile(r"^[ \t]*export\s*\{[^}]*\}[ \t]*;?", re.MULTILINE)
_EXPORTED = re.compile(
    r"^([ \t]*)export[ \t]+(?:default[ \t]+)?(?=(?:async[ \t]+)?(?:function|class|const|let|var)\b)",
    re.MULTILINE,
)
_EXPORTED_DEFAULT = re.compile(r"^([ \t]*)export[ \t]+default\b", re.MULTILINE)
_FRAME = re.compile(r"<input>:(\d+)")


class CodecError(ValueError):
    """JavaScript that is no codec.

    Attributes:
        line: where, from 1; 0 where no line is to blame.
        problem: what is wrong.
    """

    def __init__(self, name: str, line: int, problem: str) -> None:
        super().__init__(f"{name}:{line}: {problem}" if line else f"{name}: {problem}")
        self.line = line
        self.problem = problem


class Codec:
    """A codec as the LoRa Alliance's TS013-1.0.0 defines it, `decodeUplink(input)`, or in one of the older forms.

    These are `Decoder(bytes, port)` and `Decode(fPort, bytes, variables)`; each may also be exported, as Node's modules
    and ECMAScript's do. The file is run anew for every message. QuickJS looks at its limits between the codec's own
    steps: a single built-in function may overstep the time.

    A codec may be made in any thread, and must be used in one.
    """

    def __init__(self, source: str, name: str) -> None:
        """Tries the file without a message.

        Args:
            source: JavaScript.
            name: of its file, for errors.

        Raises:
            CodecError: it is no JavaScript, fails, or defines no decoder.
        """
        self._name = name
        self._source = _adapt_exports(source.removeprefix("\ufeff"))
        self._lines = self._source.count("\n") + 1
        self._run: _Run | None = None
        try:
            answer = self._ask(self._create(), None, 0, 0)
        except Undecodable as error:
            raise CodecError(name, 0, error.reason.removeprefix(f"{name}: ")) from None
        if "thrown" in answer:
            alone = "; a codec stands alone, without other files" if "require is not" in answer["thrown"] else ""
            raise CodecError(name, self._find_line(answer["stack"]), _shorten(answer["thrown"]) + alone)
        if "missing" in answer:
            problem = "defines neither decodeUplink(input) nor Decoder(bytes, port) nor Decode(fPort, bytes)"
            raise CodecError(name, 0, problem)

    def decode(self, data: bytes, port: int, received: int) -> Any:  # noqa: ANN401 - a codec returns anything
        """What the codec makes of a payload: JSON; what JavaScript calls NaN or undefined is None in it.

        Args:
            data: the payload.
            port: LoRaWAN's FPort.
            received: when it arrived, nanoseconds since 1970.

        Raises:
            Undecodable: the codec fails, refuses it, returns nothing, or reaches a limit.
        """
        if len(data) > LENGTH_MAX:
            raise Undecodable(f"{self._name}: payload of more than {LENGTH_MAX:,} bytes")
        fresh = self._run is None
        run = self._run = self._run or self._create()
        answer = self._ask(run, data, port, received)
        if answer.get("loading") and not fresh:  # it has spoiled its own surroundings, such as by a property set twice
            run = self._run = self._create()
            answer = self._ask(run, data, port, received)
        if answer.get("data") is not None:
            return answer["data"]
        raise self._blame(answer)

    def _create(self) -> _Run:
        engine = _load_engine()
        context = engine.Context()
        context.set_memory_limit(MEMORY_MAX)
        context.set_time_limit(TIME_MAX_S)
        context.set_max_stack_size(_STACK_MAX)
        try:
            load = context.eval(_BEFORE + self._source + _AFTER)
            # Behind the codec's own lines, so that errors tell one from the other.
            run: _Run = context.eval("\n" * self._lines + _read_harness())(load)
        except engine.JSException as error:
            message, _, stack = str(error).partition("\n")
            line = min(map(int, _FRAME.findall(stack)), default=0)
            if line > self._lines:  # what QuickJS speaks of there is none of the codec's own
                line = self._source.rstrip().count("\n") + 1
                message = "SyntaxError: a bracket or a quote is not closed, or one bracket too many closes"
            raise CodecError(self._name, line, _shorten(message)) from None
        except ValueError as error:  # characters that C has no texts with
            raise CodecError(self._name, 0, str(error)) from None
        return run

    def _ask(self, run: _Run, data: bytes | None, port: int, received: int) -> dict[str, Any]:
        try:
            text = run(None if data is None else orjson.dumps([*data]).decode(), float(port), received / 1e6)
            answer: dict[str, Any] = {"thrown": _NO_MEMORY} if text is None else orjson.loads(text)
        except _load_engine().JSException as error:
            answer = {"thrown": _NO_TIME if _NO_TIME in str(error) else _NO_MEMORY}
        except orjson.JSONDecodeError:
            raise Undecodable(f"{self._name}: the codec returns what is no JSON") from None
        limit = _LIMITS.get(answer.get("thrown", ""))
        if limit:
            self._run = None  # nobody knows what is left of it
            raise Undecodable(f"{self._name}: the codec takes more than {limit}")
        return answer

    def _blame(self, answer: dict[str, Any]) -> Undecodable:
        if "thrown" in answer:
            hint = self._place(answer["thrown"], answer["stack"])
            return Undecodable(f"{self._name}: the codec fails", hint=hint)
        if "errors" in answer:
            errors = answer["errors"]
            hint = "; ".join(str(error) for error in errors) if isinstance(errors, list) else str(errors)
            return Undecodable(f"{self._name}: the codec refuses the message", hint=_shorten(hint))
        if "long" in answer:
            return Undecodable(f"{self._name}: the codec returns too much")
        return Undecodable(f"{self._name}: the codec returns nothing", hint="expected {data: …}")

    def _place(self, message: str, stack: str) -> str:
        """An error with the line where it is."""
        line = self._find_line(stack)
        return f"{self._name}{f':{line}' if line else ''}: {_shorten(message)}"

    def _find_line(self, stack: str) -> int:
        """The innermost line of the codec's own; 0 where there is none."""
        return next((int(line) for line in _FRAME.findall(stack) if int(line) <= self._lines), 0)


def _adapt_exports(source: str) -> str:
    """The same without ECMAScript's exports, line by line: what they name is found by its name."""
    source = _EXPORTED_NAMES.sub(lambda match: "\n" * match[0].count("\n"), source)
    return _EXPORTED_DEFAULT.sub(r"\1module.exports =", _EXPORTED.sub(r"\1", source))


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _HINT_LENGTH_MAX else line[: _HINT_LENGTH_MAX - 1] + "…"


@cache
def _load_engine() -> Any:  # noqa: ANN401 - it has no types
    import quickjs  # noqa: PLC0415 - takes as long as all of this package, and few sites need it

    return quickjs


@cache
def _read_harness() -> str:
    return (files("devices.formats") / "harness.js").read_text(encoding="utf-8")
