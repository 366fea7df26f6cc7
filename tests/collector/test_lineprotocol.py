"""Line protocol: literal lines, and what Hypothesis can think of against a parser of the test's own."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from collector.lineprotocol import LineRenderer
from devices.reading import Reading, Value
from devices.register import IDENTIFIER, PLACE, TAG_VALUE, Device, Register

TIME = 1_790_000_000_123_456_789
RECEIVED = 1_790_000_002_500_000_000

REGISTER = Register(
    tags=["circuit"],
    devices=[
        Device(id="m-1", kind="electricity_meter", building="A", floor="A 1", area="Labor süd"),
        Device(id="w-1", kind="water_meter", building="B"),
        Device(id="d-1", kind="door", tags={"circuit": "k=1, k 2"}),
    ],
)


def render(*readings: Reading, register: Register = REGISTER) -> str:
    return LineRenderer("campus", register).render(readings).decode()


def test_place_and_device_are_tags_in_order_and_points_are_fields() -> None:
    reading = Reading("m-1", TIME, TIME, {"energy_import_kwh": 1234.5, "power_kw": -0.25, "tariff": "night"})
    assert render(reading) == (
        r"electricity_meter,area=Labor\ süd,building=A,device=m-1,floor=A\ 1,site=campus"
        ' energy_import_kwh=1234.5,power_kw=-0.25,tariff="night" 1790000000123456789'
    )


def test_empty_tags_are_left_out() -> None:
    assert render(Reading("w-1", TIME, TIME, {"leak": True})) == (
        "water_meter,building=B,device=w-1,site=campus leak=true 1790000000123456789"
    )


def test_tags_of_the_register_are_tags() -> None:
    assert render(Reading("d-1", TIME, TIME, {"tamper": False})) == (
        r"door,circuit=k\=1\,\ k\ 2,device=d-1,site=campus tamper=false 1790000000123456789"
    )


def test_readings_are_lines() -> None:
    first = Reading("w-1", TIME, TIME, {"volume_m3": 1.0})
    second = Reading("w-1", TIME + 1, TIME, {"volume_m3": 1e16})
    assert render(first, second) == (
        "water_meter,building=B,device=w-1,site=campus volume_m3=1.0 1790000000123456789\n"
        "water_meter,building=B,device=w-1,site=campus volume_m3=1e+16 1790000000123456790"
    )


def test_a_late_reading_says_when_it_arrived() -> None:
    assert render(Reading("w-1", TIME, RECEIVED, {"volume_m3": 1.0}, late=True)) == (
        "water_meter,building=B,device=w-1,site=campus volume_m3=1.0,received_time_s=1790000002.5 1790000000123456789"
    )


def test_a_time_that_was_not_believed_is_kept() -> None:
    assert render(Reading("w-1", RECEIVED, RECEIVED, {"volume_m3": 1.0}, claimed=0)) == (
        "water_meter,building=B,device=w-1,site=campus volume_m3=1.0,claimed_time_s=0.0 1790000002500000000"
    )


def test_the_daemon_itself_has_a_measurement_of_its_own() -> None:
    assert render(Reading("siteward", TIME, TIME, {"journal_bytes": 4096.0})) == (
        "siteward,site=campus journal_bytes=4096.0 1790000000123456789"
    )


def test_readings_of_a_device_that_left_the_register_are_not_lost() -> None:
    assert render(Reading("gone", TIME, TIME, {"volume_m3": 1.0})) == (
        "unknown,device=gone,site=campus volume_m3=1.0 1790000000123456789"
    )


def test_texts_are_quoted() -> None:
    reading = Reading("m-1", TIME, TIME, {"alarm": 'over "C:\\temp",\nx=1'})
    assert render(reading).split(" ", 3)[3] == r"""alarm="over \"C:\\temp\", x=1" 1790000000123456789"""


def split(text: str, separator: str, *, quotes: bool = False) -> Iterator[str]:
    """Parts between separators that are not escaped, nor within quotes where these count; escapes stay."""
    part, quoted, escaped = "", False, False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = quotes and not quoted
        elif character == separator and not quoted:
            yield part
            part = ""
            continue
        part += character
    yield part


def parse(line: str) -> tuple[dict[str, str], dict[str, Value], int]:
    """Tags (the measurement under ""), fields and time, as the format's documentation has them."""

    def plain(text: str) -> str:
        return text.replace("\\,", ",").replace("\\=", "=").replace("\\ ", " ")

    def value(text: str) -> Value:
        if text.startswith('"'):
            return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        return text == "true" if text in {"true", "false"} else float(text)

    head = next(split(line, " "))
    body, time = split(line[len(head) + 1 :], " ", quotes=True)
    measurement, *pairs = split(head, ",")
    tags = {plain(name): plain(content) for name, content in (split(pair, "=") for pair in pairs)}
    fields = {
        plain(name): value(content)
        for name, content in (split(pair, "=", quotes=True) for pair in split(body, ",", quotes=True))
    }
    return {"": measurement, **tags}, fields, int(time)


NAMES = st.from_regex(IDENTIFIER, fullmatch=True).filter(lambda name: len(name) <= 60)
PLACES = st.from_regex(PLACE, fullmatch=True).filter(lambda place: len(place) <= 64)
TAG_VALUES = st.from_regex(TAG_VALUE, fullmatch=True).filter(lambda text: len(text) <= 64)
VALUES = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text(max_size=20))


@given(
    device=NAMES,
    area=PLACES,
    tags=st.dictionaries(NAMES.map("x{}".format), TAG_VALUES, max_size=3),
    values=st.dictionaries(NAMES, VALUES, min_size=1, max_size=5),
    time=st.integers(0, 2**62),
)
def test_what_was_rendered_can_be_read(
    device: str, area: str, tags: dict[str, str], values: dict[str, Value], time: int
) -> None:
    register = Register(tags=list(tags), devices=[Device(id=device, kind="water_meter", area=area, tags=tags)])
    line = render(Reading(device, time, time, values), register=register)
    assert "\n" not in line
    read_tags, read_values, read_time = parse(line)
    assert read_tags == {"": "water_meter", "site": "campus", "device": device, "area": area, **tags}
    assert read_values == {
        point: value.replace("\n", " ") if isinstance(value, str) else value for point, value in values.items()
    }
    assert read_time == time
