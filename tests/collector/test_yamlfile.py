import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.yamlfile import MAX_DEPTH, Document, Fault, Spot

SITE = """\
# The site
site:
  id: campus
  name: {en: Campus, zh: 校园}
devices:
- id: a
  tags: [x, "y"]
- {id: 007, kind: door}
"""


def read(text: str) -> object:
    document = Document(text)
    assert document.faults == []
    return document.value


def test_collections() -> None:
    assert read(SITE) == {
        "site": {"id": "campus", "name": {"en": "Campus", "zh": "校园"}},
        "devices": [{"id": "a", "tags": ["x", "y"]}, {"id": 7, "kind": "door"}],
    }


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-12", -12),
        ("+12", 12),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
    ],
)
def test_scalars_of_the_core_schema(written: str, value: object) -> None:
    result = read(f"key: {written}\n")
    assert result == {"key": value}
    assert isinstance(result, dict)
    assert type(result["key"]) is type(value)


@pytest.mark.parametrize(
    "written",
    ["yes", "no", "on", "off", "y", "1:30", "12:30:45", "2026-11-22", "2026-11-22T08:00:00Z", "1_000", "0b1", "0o8",
     "15m", "1F", "-", ".", "e5", "tRue", "Infinity", "=", "<<", "9" * 5000],
)  # fmt: skip
def test_everything_else_is_a_text(written: str) -> None:
    assert read(f"key: {written}\n" if written != "-" else "key: '-'\n") == {"key": written}


def test_quotes_make_a_text() -> None:
    assert read("['1', \"true\", '', '~']") == ["1", "true", "", "~"]


def test_not_a_number() -> None:
    value = read("[.nan]")
    assert isinstance(value, list)
    assert math.isnan(value[0])


def test_keys_follow_the_same_schema() -> None:
    assert read("{1: a, 'x': b, false: c, '2': d, ~: e}") == {1: "a", "x": "b", False: "c", "2": "d", None: "e"}


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "---\n...\n"])
def test_nothing(text: str) -> None:
    assert read(text) is None


def test_equal_texts_are_one_object() -> None:
    value = read("[{kind: door}, {kind: door}]")
    assert isinstance(value, list)
    assert value[0]["kind"] is value[1]["kind"]


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), Spot(1, 1), Spot(1, 1)),
        (("site",), Spot(3, 3), Spot(2, 1, "site")),
        (("site", "id"), Spot(3, 7, "campus"), Spot(3, 3, "id")),
        (("site", "name"), Spot(4, 9), Spot(4, 3, "name")),
        (("site", "name", "zh"), Spot(4, 26, "校园"), Spot(4, 22, "zh")),
        (("devices", 0), Spot(6, 3), Spot(6, 3)),
        (("devices", 0, "tags", 1), Spot(7, 13, "y"), Spot(7, 13, "y")),
        (("devices", 1, "id"), Spot(8, 8, "007"), Spot(8, 4, "id")),
        (("devices", 1, "name", "en"), Spot(8, 3), Spot(8, 3)),
        (("store", "kind"), Spot(1, 1), Spot(1, 1)),
    ],
)
def test_places(path: tuple[object, ...], value: Spot, key: Spot) -> None:
    document = Document(SITE)
    assert document.locate(path) == value
    assert document.locate_key(path) == key


def test_a_repeated_key_is_a_fault_and_the_first_counts() -> None:
    document = Document("a: 1\nb: {c: 1, c: 2}\na: {d: 3}\n")
    assert document.value == {"a": 1, "b": {"c": 1}}
    assert document.faults == [
        Fault(Spot(2, 11, "c"), "key 'c' stands here a second time", "keep one"),
        Fault(Spot(3, 1, "a"), "key 'a' stands here a second time", "keep one"),
    ]
    assert document.locate(("a",)) == Spot(1, 4, "1")


ALIGN = "indent what belongs together by the same number of spaces"
OPEN = "the bracket of line {} is still open; inside brackets, texts with {{ }} [ ] or a comma need quotes"

MISTAKES = {
    "a tab": ("a:\n\tb: 1\n", (2, 1), "a tab indents this line", "use spaces"),
    "a tab behind spaces": ("a:\n  b: 1\n  \tc: 2\n", (3, 3), "a tab indents this line", "use spaces"),
    "full-width colon": (
        "a:\n  b：1\n  c: 2\n", (2, 4), "a full-width colon follows the key", "type ':' and a space",
    ),
    "no space": ("a:\n  id:1\n  b: 2\n", (2, 6), "no space behind ':'", "write 'key: value'"),
    "no colon, more below": ("a:\n  id 1\n  b: 2\n", (2, 3), "no ':' behind this key", "write 'key: value'"),
    "no colon at the end": ("a: 1\nid\n", (2, 1), "no ':' behind this key", "write 'key: value'"),
    "colon in a text": ("a: Hall: north\n", (1, 8), "did not expect ':' here", "a text with ': ' in it needs quotes"),
    "indented deeper": ("a:\n  b: 1\n   c: 2\n", (3, 4), "this is indented deeper than the line above", ALIGN),
    "indented less": ("a:\n  b: 1\n c: 2\n", (3, 2), "this does not line up with the lines above", ALIGN),
    "a list entry without a dash": ("a:\n  - 1\n  b: 2\n", (3, 3), "expected '- ' as in the entries above", ALIGN),
    "an open brace": ("a: {b: 1\nc: {d: 2}\n", (2, 2), "expected ',' or '}'", OPEN.format(1)),
    "an open bracket": ("a: [b\nc: 1\n", (2, 2), "expected ',' or ']'", OPEN.format(1)),
    "two commas": ("a: {b: 1,, c: 2}\n", (1, 10), "expected a value here", "is there a comma or bracket too many?"),
    "an open brace at the end": ("a: {\n", (2, 1), "the file ends here", "a bracket above is not closed"),
    "an open quote": ("a: 'b\nc: 1\n", (3, 1), "a quote is not closed", "it was opened in line 1"),
    "text behind a quoted key": (
        'a: 1\nb: "c".d\n',
        (2, 7),
        "did not expect text behind the quote",
        "put all of it in quotes",
    ),
    "text behind a bracket": ("a: {b}/{c}\n", (1, 7), "text stands behind the bracket", "put all of it in quotes"),
    "a full-width colon in brackets": (
        "a: {b: {1： c}}\n",
        (1, 9),
        "a full-width colon in this key",
        "type ':' and a space",
    ),
    "a full-width comma between quotes": (
        'a: ["b{1}"，"c{1}"]\nd: 1\n',
        (1, 11),
        "a full-width comma",
        "type ',' and a space",
    ),
    "text behind a quote": ('a: "b" c\n', (1, 8), "did not expect text behind the quote", "put all of it in quotes"),
    "an unknown escape": (
        'a: "b\\d"\n', (1, 6), "unknown escape in double quotes", "use single quotes, or two backslashes for one",
    ),
    "an at sign": ("a: @b\n", (1, 4), "a text cannot begin with this character", "put the text in quotes"),
    "a star": ("a: */b\n", (1, 5), "a text cannot begin with * or &", "put the text in quotes"),
    "an alias": (
        "a: *b\n",
        (1, 4),
        "*b stands for nothing",
        "name it with &b before this place, or put a text with * in quotes",
    ),
    "a tag": ("a: !b c\n", (1, 4), "!b is a YAML tag", "leave it out, or put a text with ! in quotes"),
    "a list as a key": (
        "[a]: b\n", (1, 1), "expected a key, not a list or mapping", "a key with [ or { in front needs quotes",
    ),
    "two documents": ("a: 1\n---\na: 2\n", (2, 1), "a second document begins here", "keep one document in a file"),
    "a control character": ("a: 校\x00\n", (1, 5), "invisible character U+0000", "delete it"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_typical_mistakes(name: str) -> None:
    text, (line, column), message, hint = MISTAKES[name]
    document = Document(text)
    assert document.value is None
    (fault,) = document.faults
    assert (fault.spot.line, fault.spot.column) == (line, column)
    assert fault[1:] == (message, hint)


def test_an_alias_stands_for_what_its_anchor_names_and_is_complained_about_where_it_stands() -> None:
    document = Document("a: &x {b: [1, 2]}\nc: *x\nd: &y text\ne: *y\n")
    assert document.value == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}, "d": "text", "e": "text"}
    assert document.locate(("c", "b", 0))[:2] == (2, 4)


def test_one_and_true_cannot_both_be_keys() -> None:
    (fault,) = Document("{1: a, true: b}\n").faults
    assert fault == Fault(
        Spot(1, 8, "true"), "1 and true, or 0 and false, cannot both be keys: true", "put the number in quotes"
    )


def test_a_document_cannot_unfold_without_end() -> None:
    lines = ["a0: &a0 [x, x, x, x]"] + [
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 30)
    ]
    assert [fault.message for fault in Document("\n".join(lines)).faults] == [
        "aliases stand for more than 20,000 values"
    ]


def test_aliases_do_not_nest_deeper_than_what_is_written() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60)]
    (fault,) = Document("\n".join(lines)).faults
    assert (fault.spot.line, fault.message) == (40, "nested in more than 40 levels")


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 5000])
def test_nesting_has_an_end(depth: int) -> None:
    document = Document("[" * depth + "]" * depth)
    assert [fault.spot for fault in document.faults] == ([] if depth == MAX_DEPTH else [Spot(1, MAX_DEPTH + 1)])


# YAML takes line separators, byte order marks and what Unicode has not assigned for something else than JSON does.
TEXTS = st.text(
    st.sampled_from('\0\t\n\r"\\')
    | st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Co", "Zl", "Zp"], exclude_characters="\ufeff"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


@given(JSON)
def test_json_is_yaml(value: object) -> None:
    assert read(json.dumps(value, ensure_ascii=False)) == value


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("\n\t :-,?*&![]{}#'\"|>%@`~")))
def test_any_text_is_read_or_has_a_fault_within_it(text: str) -> None:
    document = Document(text)
    lines = len(text.splitlines()) + 1
    assert all(1 <= fault.spot.line <= lines and fault.spot.column >= 1 for fault in document.faults)
    assert document.locate(("a", 0)).line >= 1
