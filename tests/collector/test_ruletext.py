"""Rules as text: what is taken out and put in, and that all around it stays."""

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import CollectorError
from collector.ruletext import read_entry, replace_entry, write_alone
from collector.yamlfile import Document

FILE = """\
# Rules for electricity
rules:
  # The first
  - id: high   # a comment inside
    when:
      # why 253
      threshold: {point: voltage_v, above: 253 V}

    for: 1m  # behind the last

  # The second
  - {id: low, when: {threshold: {point: voltage_v, below: 207 V}},
     for: 2m}

  - when: {silent: {for: 1h}}
    id: silent
    name:
      en: |
        Silent
        for long

# The end
"""


def ids(text: str) -> list[str]:
    value = Document(text).value
    assert isinstance(value, dict)
    return [rule["id"] for rule in value["rules"]]


def test_a_rule_is_taken_out_with_its_comments() -> None:
    assert read_entry(FILE, "high") == dedent("""\
        id: high   # a comment inside
        when:
          # why 253
          threshold: {point: voltage_v, above: 253 V}

        for: 1m""")
    assert read_entry(FILE, "low").startswith("{id: low,")
    assert read_entry(FILE, "silent").endswith("en: |\n    Silent\n    for long")


def test_a_rule_alone_is_a_file() -> None:
    for rule in ("high", "low", "silent"):
        alone = write_alone(read_entry(FILE, rule))
        content, value = Document(alone).value, Document(FILE).value
        assert isinstance(content, dict)
        assert isinstance(value, dict)
        assert content["rules"] == [each for each in value["rules"] if each["id"] == rule]
        assert read_entry(alone, rule) == read_entry(FILE, rule)


def test_another_text_takes_the_place_of_a_rule() -> None:
    after = replace_entry(FILE, "high", "id: high\nwhen:\n  threshold: {point: voltage_v, above: 260 V}")
    assert after == FILE.replace(
        """\
  - id: high   # a comment inside
    when:
      # why 253
      threshold: {point: voltage_v, above: 253 V}

    for: 1m  # behind the last
""",
        """\
  - id: high
    when:
      threshold: {point: voltage_v, above: 260 V}  # behind the last
""",
    )


@given(st.permutations(["high", "low", "silent"]), st.booleans())
def test_rules_put_in_their_own_place_change_nothing(order: list[str], windows: bool) -> None:
    text = FILE.replace("\n", "\r\n") if windows else FILE
    for rule in order:
        text = replace_entry(text, rule, read_entry(text, rule))
    assert text == (FILE.replace("\n", "\r\n") if windows else FILE)


@given(st.sampled_from(["high", "low", "silent"]), st.sampled_from(["high", "low", "silent"]))
def test_the_others_stay(rule: str, other: str) -> None:
    entry = read_entry(FILE, other)
    after = replace_entry(FILE, rule, entry)
    expected = [other if each == rule else each for each in ids(FILE)]
    assert ids(after) == expected
    for comment in ("# Rules for electricity", "# The first\n", "# The second\n", "# The end\n"):
        assert comment in after


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [{id: a}]\n", "below it a list"),
        ("", "below it a list"),
        ("- id: a\n", "below it a list"),
        ("rules:\n  - {id: b}\n", "there is no rule 'a'"),
    ],
)
def test_what_is_no_block_of_rules(text: str, said: str) -> None:
    with pytest.raises(CollectorError, match=said):
        read_entry(text, "a")
