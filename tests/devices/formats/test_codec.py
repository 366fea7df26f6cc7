"""Vendors' codecs at work."""

import re
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import Undecodable
from devices.formats.codec import Codec

EIGHT = 1_795_334_400_000_000_000  # 2026-11-22T08:00:00Z


def decode(source: str, digits: str = "0102", port: int = 3) -> Any:  # noqa: ANN401 - a codec returns anything
    return Codec(source, "vendor.js").decode(bytes.fromhex(digits), port, EIGHT)


def uplink(body: str) -> str:
    return f"function decodeUplink(input) {{ {body} }}"


TTN_2 = """
function Decoder(bytes, port) {
  // The Things Network 2
  var decoded = {};
  decoded.volume = ((bytes[0] << 8) | bytes[1]) / 10;
  decoded.port = port;
  return decoded;
}
"""

CHIRPSTACK_3 = """
var units = { 1: "m3" };
function Decode(fPort, bytes, variables) {
  var volume = (bytes[0] << 8) + bytes[1];
  return { volume: volume / 10, port: fPort, unit: units[bytes.length - 1], names: Object.keys(variables) };
}
"""

EXPORTS = """
"use strict";
const read = (bytes) => bytes.reduce((number, byte) => number * 256 + byte, 0);
exports.decodeUplink = function (input) {
  return { data: { volume: read(input.bytes) / 10 }, warnings: ["low battery"] };
};
"""

MODULE = """
const decode = (bytes) => ({ volume: bytes[1] });
module.exports = { decodeUplink: (input) => ({ data: decode(input.bytes) }) };
"""

ECMASCRIPT = """
export const factor = 10;
export function decodeUplink(input) {
  return { data: { volume: input.bytes[1] / factor } };
}
export {
  decodeUplink as default,
};
"""

ECMASCRIPT_DEFAULT = "export default {\n  decodeUplink: (input) => ({ data: { port: input.fPort } }),\n};"


@pytest.mark.parametrize(
    ("source", "decoded"),
    [
        (uplink("return {data: {volume: input.bytes[1], port: input.fPort}}"), {"volume": 2, "port": 3}),
        (TTN_2, {"volume": 25.8, "port": 3}),
        (CHIRPSTACK_3, {"volume": 25.8, "port": 3, "unit": "m3", "names": []}),
        (EXPORTS, {"volume": 25.8}),
        (MODULE, {"volume": 2}),
        (ECMASCRIPT, {"volume": 0.2}),
        (ECMASCRIPT_DEFAULT, {"port": 3}),
        ("﻿" + TTN_2, {"volume": 25.8, "port": 3}),
        (TTN_2 + uplink("return {data: {both: true}}"), {"both": True}),
        (uplink("return {data: [1, {a: 'x'}]}") + "// comment", [1, {"a": "x"}]),
        (uplink("return {data: {a: NaN, b: undefined, c: 1/0, d: 0}}"), {"a": None, "c": None, "d": 0}),
        (uplink("console.log(input); return {data: 1, errors: []}"), 1),
    ],
)
def test_every_form_of_codec_is_run_as_it_is(source: str, decoded: object) -> None:
    assert decode(source) == decoded


def test_the_only_clock_is_the_time_of_the_message() -> None:
    body = (
        "return {data: [input.recvTime, new Date(), Date.now(), input.recvTime instanceof Date, new Date(5).getTime()]}"
    )
    eight = "2026-11-22T08:00:00.000Z"
    assert decode(uplink(body)) == [eight, eight, 1_795_334_400_000, True, 5]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("b.readUInt16BE(0)", 0x8002),
        ("b.readUInt16LE(1)", 0x0302),
        ("b.readInt16BE()", -32_766),
        ("b.readUint8(3)", 4),
        ("b.readInt32LE(0)", 0x04030280),
        ("b.readUIntBE(0, 3)", 0x800203),
        ("b.readIntLE(0, 3)", 0x030280),
        ("b.readIntBE(0, 3)", -8_388_093),
        ("Buffer.from([0x3f, 0x80, 0, 0]).readFloatBE(0)", 1),
        ("Buffer.from([0, 0, 0, 0, 0, 0, 0, 0x40]).readDoubleLE(0)", 2),
        ("Number(Buffer.from([0, 0, 0, 0, 0, 0, 1, 0]).readBigUInt64BE(0))", 256),
        ("b.toString('hex')", "80020304"),
        ("b.slice(1, 3).toString('hex')", "0203"),
        ("b.slice(1).readUInt8(0)", 2),
        ("Buffer.from('4f4b', 'hex').toString()", "OK"),
        ("Buffer.from('é').length", 2),
        ("Buffer.from('é').toString('utf8')", "é"),
        ("Buffer.from('é', 'latin1').toString('hex')", "e9"),
        ("Buffer.concat([b, Buffer.alloc(1)]).toString('hex')", "8002030400"),
        ("new Buffer([1, 2]).byteLength", 2),
        ("[Buffer.isBuffer(b), Buffer.isBuffer([1])]", [True, False]),
    ],
)
def test_nodes_buffer_is_there(expression: str, value: object) -> None:
    assert decode(uplink(f"const b = Buffer.from(input.bytes); return {{data: {expression}}}"), "80020304") == value


def test_what_a_codec_keeps_is_gone_with_the_next_message() -> None:
    codec = Codec("var seen = {};\nfunction decodeUplink(i) { seen[i.bytes[0]] = 1; return {data: seen} }", "vendor.js")
    assert [codec.decode(bytes([byte]), 1, 0) for byte in (1, 2, 2)] == [{"1": 1}, {"2": 1}, {"2": 1}]


def test_a_codec_that_spoils_its_surroundings_gets_new_ones() -> None:
    once = "Object.defineProperty(Object, 'own', {value: () => 7});\n"
    codec = Codec(once + uplink("return {data: Object.own()}"), "vendor.js")
    assert [codec.decode(b"", 1, 0) for _ in range(3)] == [7, 7, 7]


def test_a_codec_may_be_made_in_one_thread_and_used_in_another() -> None:
    deep = "function f(n) { return n && 1 + f(n - 1) }\n"
    codec, decoded = Codec(deep + uplink("return {data: f(input.bytes[0])}"), "vendor.js"), []
    thread = Thread(target=lambda: decoded.append(codec.decode(b"\xc8", 1, 0)))
    thread.start()
    thread.join()
    assert decoded == [200]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("function decodeUplink(input) {\n  let x = ;\n}", "vendor.js:2: SyntaxError: "),
        ("function decodeUplink(input) {\n  return {", "vendor.js:2: SyntaxError: "),
        ("import { read } from 'lib';\n" + TTN_2, "vendor.js:1: SyntaxError: "),
        ("\n\nconst lib = require('lib');\n" + TTN_2, "vendor.js:3: ReferenceError: require is not defined"),
        ("while (true);", "vendor.js: the codec takes more than 50 ms"),
        (
            "function encodeDownlink(input) {}",
            "vendor.js: defines neither decodeUplink(input) nor Decoder(bytes, port) nor Decode(fPort, bytes)",
        ),
        ("a\0b", "vendor.js: embedded null character"),
    ],
)
def test_files_that_are_no_codec_are_told_with_the_line(source: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}"):
        Codec(source, "vendor.js")


@pytest.mark.parametrize(
    ("body", "reason", "hint"),
    [
        ("return {errors: ['unknown port', 'no data']}", "refuses the message", "unknown port; no data"),
        ("return {data: {a: 1}, errors: 'broken'}", "refuses the message", "broken"),
        ("\n\nthrow new Error('bad\\nbyte')", "fails", "vendor.js:3: Error: bad byte"),
        ("throw 'Sensor type error!: ' + input.bytes[0]", "fails", "vendor.js: Sensor type error!: 1"),
        ("\nreturn Buffer.from(input.bytes).readUInt32BE(0)", "fails", "vendor.js:2: RangeError: out of bound"),
        ("throw null", "fails", "vendor.js: null"),
        ("throw {toString() { throw 1 }}", "fails", "vendor.js: 1"),
        ("const a = {}; a.a = a; return {data: a}", "fails", "circular"),
        ("return {data: {a: 1n}}", "fails", "BigInt"),
        ("return {data: {a: '\\ud800'}}", "returns what is no JSON", ""),
        ("let a = []; for (let i = 0; i < 3000; i++) a = [a]; return {data: a}", "returns what is no JSON", ""),
        ("return {data: 'x'.repeat(300000)}", "returns too much", ""),
        ("", "returns nothing", "expected {data: …}"),
        ("return NaN", "returns nothing", "expected {data: …}"),
        ("return {temperature: 21}", "returns nothing", "expected {data: …}"),
        ("return {data: null}", "returns nothing", "expected {data: …}"),
        ("return Promise.resolve({data: 1})", "returns nothing", "expected {data: …}"),
        ("return decodeUplink(input)", "fails", "Maximum call stack size exceeded"),
        ("while (true);", "takes more than 50 ms", ""),
        ("for (;;) { try { while (true); } catch {} }", "takes more than 50 ms", ""),
        ("/^(a+)+$/.test('a'.repeat(40) + 'b')", "takes more than 50 ms", ""),
        ("throw {get stack() { while (true); }}", "takes more than 50 ms", ""),
        ("return {data: {toJSON() { while (true); }}}", "takes more than 50 ms", ""),
        ("return {data: new Array(1e9).fill(0)}", "takes more than 16 MB of memory", ""),
        ("return {data: new Uint8Array(1e9)}", "takes more than 16 MB of memory", ""),
    ],
)
def test_codecs_that_fail(body: str, reason: str, hint: str) -> None:
    codec = Codec(uplink(f"if (input.fPort === 1) return {{data: 'fine'}};{body}"), "vendor.js")
    for _ in range(2):
        with pytest.raises(Undecodable) as caught:
            codec.decode(b"\x01\x02", 3, EIGHT)
        assert (caught.value.reason, hint in caught.value.hint) == (f"vendor.js: the codec {reason}", True)
        assert codec.decode(b"\x01\x02", 1, EIGHT) == "fine"


def test_what_a_codec_says_is_shortened() -> None:
    with pytest.raises(Undecodable) as caught:
        decode(uplink("return {errors: ['x'.repeat(9999)]}"))
    assert caught.value.hint == "x" * 199 + "…"


def test_a_payload_may_not_be_too_long() -> None:
    with pytest.raises(Undecodable, match=r"vendor.js: payload of more than 65,536 bytes"):
        decode(uplink("return {data: 1}"), "00" * 65_537)


ECHO = Codec(uplink("return {data: {bytes: input.bytes, port: input.fPort}}"), "echo.js")


@given(st.binary(max_size=300), st.integers(0, 255))
def test_a_codec_gets_the_bytes_and_the_port(data: bytes, port: int) -> None:
    assert ECHO.decode(data, port, EIGHT) == {"bytes": [*data], "port": port}


@given(st.text(max_size=60))
def test_any_text_is_a_codec_or_a_value_error(source: str) -> None:
    with pytest.raises(ValueError, match=r"^vendor\.js:"):
        Codec(source, "vendor.js")


@given(st.binary(max_size=40))
def test_any_bytes_are_decoded_or_undecodable(data: bytes) -> None:
    try:
        decoded = FRAGILE.decode(data, 1, EIGHT)
    except Undecodable as error:
        assert error.reason.startswith("fragile.js: the codec ")  # noqa: PT017 - either way is right
    else:
        assert decoded["first"] == data[0]


FRAGILE = Codec(
    """
function decodeUplink(input) {
  const bytes = Buffer.from(input.bytes);
  const data = { first: bytes.readUInt8(0), values: [] };
  for (let at = 1; at < bytes.length; at += 1 + bytes[at]) data.values.push(bytes.readFloatLE(at));
  return bytes[0] & 1 ? { data } : { errors: [bytes.toString("hex")] };
}
""",
    "fragile.js",
)
