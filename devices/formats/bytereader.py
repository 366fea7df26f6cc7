"""From a layout to a function that reads bytes: whatever can be decided once is decided here."""

from collections.abc import Callable, Iterator, Sequence
from struct import Struct
from typing import Any, TypeAlias

from devices.errors import Undecodable
from devices.formats.bytevalues import ORDER_CODES, PIECES, Convert, compile_conversion, compile_value
from devices.formats.layout import ANY_BYTE, END, BinaryField, ByteOrder, Layout, TagEntry, Tagged

LENGTH_MAX = 65_536
"""Most bytes of a payload that a layout reads."""

Values: TypeAlias = dict[str, Any]
"""What was read, by its name."""

Item: TypeAlias = Callable[[bytes, int, int], tuple[Any, int]]
"""Reads one value at a position, and not behind an end; gives the value and the position behind it."""

Step: TypeAlias = Callable[[bytes, int, int, Values], int]
"""Reads what stands at a position, and not behind an end, into values; gives the position behind it."""


def compile_layout(layout: Layout) -> Callable[[bytes], Values]:
    """The function that reads payloads: each name leads to a number, true or false, a text, a list or an object.

    Bytes behind the last field are no fault, unless the layout gives a `length`. The function raises Undecodable where
    a payload ends too early, is longer than LENGTH_MAX, or has a tag that the layout does not list.
    """
    last = min(layout.fields, key=lambda field: field.at or 0, default=None)
    trailer = -last.at if last and last.at and last.at < 0 else 0
    read_fields = _compile_fields(layout.fields, layout.byte_order, "")
    read_tagged = _compile_tagged(layout.tagged, layout.byte_order) if layout.tagged else None

    def read(data: bytes) -> Values:
        length = len(data)
        if layout.length is not None and length != layout.length:
            raise Undecodable("payload of another length", hint=f"expected {layout.length} bytes, got {length}")
        if length > LENGTH_MAX:
            raise Undecodable(f"payload of more than {LENGTH_MAX:,} bytes")
        if length < trailer:
            raise _end_early(last.name if last else "", trailer - length)
        values: Values = {}
        position = read_fields(data, 0, length - trailer, values)
        if read_tagged:
            read_tagged(data, position, length - trailer, values)
        return values

    return read


def _compile_fields(fields: Sequence[BinaryField], order: ByteOrder, prefix: str) -> Step:
    """Reads one after the other; a field without a place of its own stands behind the one before."""
    plan = [
        (run[0].at, _compile_conditions(run[0]), _compile_run(run, order, prefix)) for run in _split_runs(fields, order)
    ]

    def read(data: bytes, start: int, end: int, values: Values) -> int:
        position = reach = start
        for at, holds, step in plan:
            if holds and not holds(values):
                continue
            if at is not None and at < 0:
                step(data, len(data) + at, len(data), values)
                continue
            position = step(data, position if at is None else start + at, end, values)
            reach = max(reach, position)
        return reach

    return read


def _split_runs(fields: Sequence[BinaryField], order: ByteOrder) -> Iterator[list[BinaryField]]:
    """Fields that one struct can read together: plain ones, one behind the other, whose distances are known."""
    run: list[BinaryField] = []
    anchored, stop = False, 0
    for field in fields:
        follows = field.at is None or (anchored and field.at >= stop)
        same_order = bool(run) and (field.byte_order or order) == (run[0].byte_order or order)
        if same_order and follows and _is_plain(field) and _is_plain(run[0]):
            stop = (stop if field.at is None else field.at) + field.size
            run.append(field)
            continue
        if run:
            yield run
        anchored = field.at is not None or not run
        stop = (field.at or 0) + field.size
        run = [field]
    if run:
        yield run


def _is_plain(field: BinaryField) -> bool:
    from_end = field.at is not None and field.at < 0
    return field.size > 0 and not (field.when or field.repeat or field.is_packed or from_end)


def _compile_conditions(field: BinaryField) -> Callable[[Values], bool] | None:
    wanted = [
        (name, frozenset(values if isinstance(values, list) else [values])) for name, values in field.when.items()
    ]
    if not wanted:
        return None
    return lambda values: all(values.get(name) in allowed for name, allowed in wanted)


def _compile_run(run: Sequence[BinaryField], order: ByteOrder, prefix: str) -> Step:
    field = run[0]
    order = field.byte_order or order
    label = _label(field, prefix)
    if field.fields and not field.name:
        return _compile_fields(field.fields, order, prefix)
    if field.is_packed:
        return _compile_packed(field, order, label)
    if field.repeat is not None:
        return _compile_repeat(field, _compile_item(field, order, label), label)
    if field.fields or not field.size:
        return _compile_single(field.name, _compile_item(field, order, label))
    return _compile_struct(run, order, prefix)


def _label(field: BinaryField, prefix: str) -> str:
    return prefix + (field.name or "unnamed bytes")


def _compile_struct(run: Sequence[BinaryField], order: ByteOrder, prefix: str) -> Step:
    codes, plan, stops, stop = [ORDER_CODES[order]], [], [], 0
    for field in run:
        start = stop if field.at is None else field.at - (run[0].at or 0)
        code, convert = compile_value(field, order, _label(field, prefix))
        codes.append(f"{start - stop}x{code if field.name else f'{field.size}x'}")
        stop = start + field.size
        stops.append((stop, _label(field, prefix)))
        if field.name:
            plan.append((field.name, convert))
    unpack_from, size = Struct("".join(codes)).unpack_from, stop

    def read(data: bytes, position: int, end: int, values: Values) -> int:
        behind = position + size
        if behind > end:
            missing, label = next((position + stop - end, label) for stop, label in stops if position + stop > end)
            raise _end_early(label, missing)
        for (name, convert), raw in zip(plan, unpack_from(data, position), strict=True):
            value = raw if convert is None else convert(raw)
            if value is not None:
                values[name] = value
        return behind

    return read


def _compile_single(name: str, read_item: Item) -> Step:
    def read(data: bytes, position: int, end: int, values: Values) -> int:
        value, behind = read_item(data, position, end)
        if name:
            values[name] = value
        return behind

    return read


def _compile_item(field: BinaryField, order: ByteOrder, label: str) -> Item:
    if field.fields:
        return _compile_object(_compile_fields(field.fields, order, f"{label}."))
    size = field.size
    if not size:
        return _compile_rest(PIECES[field.type], label)
    code, convert = compile_value(field, order, label)
    unpack_from = Struct(ORDER_CODES[order] + code).unpack_from

    def read(data: bytes, position: int, end: int) -> tuple[Any, int]:
        behind = position + size
        if behind > end:
            raise _end_early(label, behind - end)
        (value,) = unpack_from(data, position)
        return value if convert is None else convert(value), behind

    return read


def _compile_object(read_fields: Step) -> Item:
    def read(data: bytes, position: int, end: int) -> tuple[Any, int]:
        values: Values = {}
        behind = read_fields(data, position, end, values)
        return values, behind

    return read


def _compile_rest(read_piece: Convert, label: str) -> Item:
    def read(data: bytes, position: int, end: int) -> tuple[Any, int]:
        if position > end:
            raise _end_early(label, position - end)
        return read_piece(data[position:end]), end

    return read


def _compile_repeat(field: BinaryField, read_item: Item, label: str) -> Step:
    name, find_count = field.name, _compile_count(field, label)

    def read(data: bytes, position: int, end: int, values: Values) -> int:
        count = find_count(values)
        items: list[Any] = []
        while position < end if count is None else len(items) < count:
            value, behind = read_item(data, position, end)
            if behind <= position:
                raise Undecodable(f"{label}: a group without bytes is repeated")
            items.append(value)
            position = behind
        values[name] = items
        return position

    return read


def _compile_packed(field: BinaryField, order: ByteOrder, label: str) -> Step:
    """Numbers without gaps: little-endian from the lowest bit of the first byte, big-endian from the highest."""
    name, width, find_count = field.name, field.width or 1, _compile_count(field, label)
    convert = compile_conversion(field)
    sign = 1 << width - 1 if field.signed else 0

    def read(data: bytes, position: int, end: int, values: Values) -> int:
        count = find_count(values)
        if count is None:
            count = max(end - position, 0) * 8 // width
        behind = position + (count * width + 7) // 8
        if behind > end:
            raise _end_early(label, behind - end)
        items = []
        for first in range(0, count * width, width):
            start, stop = position + first // 8, position + (first + width + 7) // 8
            spare = first % 8 if order == "little" else -(first + width) % 8
            number = int.from_bytes(data[start:stop], order) >> spare & (1 << width) - 1
            number = (number ^ sign) - sign
            items.append(convert(number) if convert else number)
        values[name] = items
        return behind

    return read


def _compile_count(field: BinaryField, label: str) -> Callable[[Values], int | None]:
    """How many items there are; None: until the end."""
    repeat = field.repeat
    if not isinstance(repeat, str):
        return lambda _values: repeat
    if repeat == END:
        return lambda _values: None

    def find(values: Values) -> int:
        count = values.get(repeat)
        if type(count) is not int or count < 0:
            raise Undecodable(f"{label}: {repeat} is no count")
        return count

    return find


def _compile_tagged(tagged: Tagged, order: ByteOrder) -> Step:
    size, length_size = tagged.tag, tagged.length
    find = _compile_tags(tagged, order)

    def read(data: bytes, position: int, end: int, values: Values) -> int:
        while position < end:
            tag = data[position : position + size]
            behind = position + size + length_size
            if behind > end:
                raise _end_early("a tag", behind - end)
            stop = end
            if length_size:
                stop = behind + int.from_bytes(data[position + size : behind], order)
                if stop > end:
                    raise _end_early("a tag's value", stop - end)
            step = find(tag)
            if step is not None:
                behind = step(data, behind, stop, values)
            elif not length_size:
                hint = f"byte {position}: add {tag.hex()!r} to `tagged`, with the fields behind it"
                raise Undecodable("a tag that the layout does not list", hint=hint)
            position = stop if length_size else behind
        return position

    return read


def _compile_tags(tagged: Tagged, order: ByteOrder) -> Callable[[bytes], Step | None]:
    tables: dict[tuple[int, ...], dict[bytes, Step]] = {}
    for pattern, entry in tagged.fields.items():
        cells = [pattern[start : start + 2] for start in range(0, len(pattern), 2)]
        known = tuple(number for number, cell in enumerate(cells) if cell != ANY_BYTE)
        tag = bytes(int(cells[number], 16) for number in known)
        tables.setdefault(known, {})[tag] = _compile_entry(entry, order, tagged)
    plan = sorted(tables.items(), key=lambda item: -len(item[0]))  # the more a pattern says, the sooner it is tried

    def find(tag: bytes) -> Step | None:
        for known, steps in plan:
            step = steps.get(bytes([tag[number] for number in known]))
            if step is not None:
                return step
        return None

    return plan[0][1].get if list(tables) == [tuple(range(tagged.tag))] else find


def _compile_entry(entry: TagEntry, order: ByteOrder, tagged: Tagged) -> Step:
    read_fields = _compile_fields(entry.fields, order, "")
    if entry.into:
        return _collect(read_fields, entry.into)
    if any("{" in field.name for field in entry.fields):
        return _rename(read_fields, tagged)
    return read_fields


def _collect(read_fields: Step, into: str) -> Step:
    def read(data: bytes, position: int, end: int, values: Values) -> int:
        item: Values = {}
        behind = read_fields(data, position, end, item)
        items = values.get(into)
        if type(items) is not list:
            items = values[into] = []
        items.append(item)
        return behind

    return read


def _rename(read_fields: Step, tagged: Tagged) -> Step:
    """Puts the bytes of the tag into the names."""
    header = tagged.tag + tagged.length

    def read(data: bytes, position: int, end: int, values: Values) -> int:
        tag = data[position - header : position - header + tagged.tag]
        item: Values = {}
        behind = read_fields(data, position, end, item)
        for name, value in item.items():
            values[_fill(name, tag)] = value
        return behind

    return read


def _fill(name: str, tag: bytes) -> str:
    for number, byte in enumerate(tag):
        name = name.replace(f"{{{number}}}", str(byte))
    return name


def _end_early(label: str, missing: int) -> Undecodable:
    return Undecodable(f"payload ends before {label}", hint=f"{missing} byte{'s' * (missing > 1)} missing")
