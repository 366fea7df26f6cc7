"""That looking at one key first changes nothing but the time it takes."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import Undecodable
from devices.language.forms import ReadForm, compile_form
from devices.language.openers import Toolbox
from devices.language.profile import Form
from devices.language.switch import compile_switch, find_gates

POINTS = {"points": {"power_kw": "p"}}
WHENS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["a", "b", ["a", "c"], 1, True, {"is_not": "a"}, {"present": False}]),
        "kind": st.sampled_from(["a", 2]),
        "deep.type": st.sampled_from(["a", {"present": True}, {"is_not": ["b", "a"]}]),
        "[0]": st.just(1),
        "$topic.x": st.just("y"),
    },
)
TYPES: st.SearchStrategy[object] = st.sampled_from(["a", "b", "c", 1, 1.0, "1", True, "true", None, [], {"a": 1}])
MESSAGES = st.fixed_dictionaries(
    {"p": st.just(5)}, optional={"type": TYPES, "kind": TYPES, "deep": st.just({"type": "a"})}
)


def compile_forms(whens: list[dict[str, object]]) -> tuple[list[Form], list[ReadForm]]:
    forms = [Form.model_validate({"topics": ["t/{device}/{x}"], "when": when} | POINTS) for when in whens]
    return forms, [compile_form(form, Toolbox("UTC"), by_topic=True) for form in forms]


def answer(read: ReadForm, payload: bytes, *, settled: bool) -> object:
    """What a form makes of a payload, or says of it."""
    try:
        return read(payload, 0, {"x": "y"}, settled=settled)
    except Undecodable as error:
        return error.reason


@given(
    st.lists(WHENS, max_size=6),
    st.one_of(MESSAGES.map(orjson.dumps), st.sampled_from([b"[1]", b"5", b"{'type': 'a'}"])),
)
def test_no_form_that_takes_a_message_is_left_out(whens: list[dict[str, object]], payload: bytes) -> None:
    forms, reads = compile_forms(whens)
    ways = [((number, False), find_gates(form)) for number, form in enumerate(forms)]
    choose = compile_switch(ways, lambda way: (way[0], True))
    if choose is None:
        return
    for _ in range(2):  # what is known the second time is the same
        chosen = choose(payload)
        assert sorted(chosen) == list(chosen)
        for number, read in enumerate(reads):
            if number not in dict(chosen):
                assert answer(read, payload, settled=False) is None
        for number, settled in chosen:
            if settled:
                assert answer(reads[number], payload, settled=True) == answer(reads[number], payload, settled=False)


def test_a_value_leads_to_its_forms_and_to_those_that_do_not_ask() -> None:
    forms, _ = compile_forms([{"type": "a"}, {"type": ["b", "a"]}, {}, {"type": 1}])
    choose = compile_switch([(number, find_gates(form)) for number, form in enumerate(forms)])
    assert choose is not None
    assert tuple(choose(b'{"type": "a"}')) == (0, 1, 2)
    assert tuple(choose(b'{"type": "1"}')) == (2, 3)
    assert tuple(choose(b'{"type": "x"}')) == (2,)
    assert tuple(choose(b"{}")) == (2,)


def test_forms_that_one_place_does_not_tell_apart_are_told_apart_by_the_next() -> None:
    forms, _ = compile_forms([{"type": "a", "kind": 1}, {"type": "a", "kind": 2}, {"type": "b"}, {"$topic.x": "y"}])
    ways = [(str(number), find_gates(form)) for number, form in enumerate(forms)]
    choose = compile_switch(ways, lambda way: f"{way} settled")
    assert choose is not None
    assert tuple(choose(b'{"type": "a", "kind": 2}')) == ("1 settled", "3 settled")
    assert tuple(choose(b'{"type": "b", "kind": 2}')) == ("2 settled", "3 settled")


def test_lists_are_looked_into() -> None:
    forms, _ = compile_forms([{"[0].type": "a"}, {"[0].type": "b"}, {"type": "a"}])
    choose = compile_switch([(number, find_gates(form)) for number, form in enumerate(forms)])
    assert choose is not None
    assert tuple(choose(b'[{"type": "b"}]')) == (1,)
    assert tuple(choose(b"[]")) == ()


def test_keys_lead_to_the_forms_that_do_not_need_others() -> None:
    forms, _ = compile_forms([{"type": "a"}, {"kind": "b"}, {"deep.x": {"present": True}}, {"kind": {"is_not": "b"}}])
    choose = compile_switch([(number, find_gates(form)) for number, form in enumerate(forms)])
    assert choose is not None
    assert tuple(choose(b'{"type": "a"}')) == (0, 3)
    assert tuple(choose(b'{"kind": "c"}')) == (3,)
    assert tuple(choose(b'{"deep": {"x": 1}}')) == (2, 3)
    assert tuple(choose(b"[]")) == (3,)


@pytest.mark.parametrize("payload", [b"no JSON", b"5"])
def test_whoever_reads_what_is_no_object_says_so(payload: bytes) -> None:
    forms, _ = compile_forms([{"type": "a"}, {"type": "b"}, {"type": "c"}])
    choose = compile_switch([(number, find_gates(form)) for number, form in enumerate(forms)])
    assert choose is not None
    assert tuple(choose(payload)) == (0, 1, 2)


@pytest.mark.parametrize(
    "forms",
    [
        [{"when": {"type": "a"}}, {"when": {"type": "b"}}],
        [{"when": {"type": "a"}}, {}, {}],
        [{"when": {"type": "a"}}, {"when": {"type": "b"}}, {"when": {"type": "c"}, "format": "value"}],
        [{}, {}, {}],
    ],
)
def test_where_a_look_would_save_nothing_there_is_none(forms: list[dict[str, object]]) -> None:
    gates = [find_gates(Form.model_validate(POINTS | form)) for form in forms]
    assert compile_switch(list(enumerate(gates))) is None
