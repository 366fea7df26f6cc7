"""The register's tables: which columns they have, how a row becomes an entry, and an entry a row."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from devices.register import Device, Model, Replacement
from devices.values import suggest

Entry: TypeAlias = dict[str, Any]
"""A row as devices.yaml would say it: texts, and in `name` and `tags` mappings of texts."""

Place: TypeAlias = tuple[str, ...]
"""Where a cell stands in an entry: ("kind",), ("name", "en"), ("tags", "circuit")."""

_TAG = "tag."


class Table(NamedTuple):
    """A list of the register.

    Attributes:
        key: in the register.
        columns: names of its columns, and where their cells stand in an entry.
        needed: columns that no row can do without.
        tagged: whether there may be columns `tag.NAME` beside them.
        chinese: what people in China call columns, and their names.
    """

    key: str
    columns: Mapping[str, Place]
    needed: tuple[str, ...]
    tagged: bool
    chinese: Mapping[str, str]

    def find(self, name: str) -> Place:
        """Where the cells of a column stand; () where there is none of that name."""
        if self.tagged and name.startswith(_TAG):
            return ("tags", name.removeprefix(_TAG))
        return self.columns.get(name, ())

    def describe(self) -> str:
        """Its columns, for people."""
        return ", ".join([*self.columns, *([f"{_TAG}NAME"] if self.tagged else [])])


def _make_table(key: str, model: type[Model], chinese: Mapping[str, str]) -> Table:
    columns: dict[str, Place] = {}
    for name in model.model_fields:
        if name == "name":
            columns |= {f"name_{language}": ("name", language) for language in ("en", "zh")}
        elif name != "tags":
            columns[name] = (name,)
    needed = tuple(name for name, field in model.model_fields.items() if field.is_required())
    return Table(key, columns, needed, "tags" in model.model_fields, chinese)


DEVICES = _make_table(
    "devices",
    Device,
    {
        "编号": "id",
        "设备编号": "id",
        "类型": "kind",
        "设备类型": "kind",
        "规约": "profile",
        "地址": "address",
        "主题": "topic",
        "名称": "name_zh",
        "中文名称": "name_zh",
        "英文名称": "name_en",
        "楼栋": "building",
        "楼层": "floor",
        "区域": "area",
        "外侧区域": "outside",
        "方向": "direction",
        "网关": "gateway",
        "上报间隔": "interval",
        "表号": "meter",
        "计量点": "metering_point",
        "计量点编号": "metering_point",
        "额定电压": "nominal_voltage",
        "电流上限": "current_limit",
        "流量上限": "flow_limit",
        "脉冲当量": "pulse_weight",
        "电流互感器变比": "ct_ratio",
        "电压互感器变比": "vt_ratio",
        "翻转值": "rolls_over_at",
    },
)
REPLACEMENTS = _make_table(
    "replacements",
    Replacement,
    {
        "设备": "device",
        "设备编号": "device",
        "换表时间": "at",
        "测点": "point",
        "拆下表号": "removed",
        "装上表号": "installed",
        "拆表底数": "final",
        "装表底数": "first",
    },
)


CHINESE_WORDS: Mapping[Place, Mapping[str, str]] = {
    ("kind",): {
        "电表": "electricity_meter", "水表": "water_meter", "门": "door", "门禁": "door",
        "传感器": "sensor", "网关": "gateway",
    },
    ("direction",): {"进": "in", "出": "out"},
}  # fmt: skip
"""What people in China write into cells whose words are a closed list."""


class HeaderFault(NamedTuple):
    """What is wrong with the names of columns.

    Attributes:
        column: its number from 0.
        message: what is wrong.
        hint: what to do.
    """

    column: int
    message: str
    hint: str


class Header:
    """The first row of a table.

    Attributes:
        paths: where the cells of each column stand in an entry; () for one that cannot be read.
        faults: what is wrong with it.
    """

    def __init__(self, table: Table, names: Iterable[str]) -> None:
        self.paths: list[Place] = []
        self.faults: list[HeaderFault] = []
        for number, name in enumerate(names):
            path = table.find(name)
            if not path:
                meant = table.chinese.get(name, name)
                hint = suggest(meant, table.columns) or f"known columns are {table.describe()}"
                self.faults.append(HeaderFault(number, f"unknown column {name!r}", hint))
            elif path in self.paths:
                self.faults.append(HeaderFault(number, f"column {name!r} stands here a second time", "keep one"))
                path = ()
            self.paths.append(path)

    def tags(self) -> dict[str, int]:
        """The tags that have a column, and its number."""
        return {path[1]: number for number, path in enumerate(self.paths) if path[:1] == ("tags",)}

    def find(self, path: tuple[object, ...]) -> int | None:
        """The number of a column; None where there is none."""
        return next((number for number, own in enumerate(self.paths) if own == path), None)

    def read(self, cells: Sequence[str]) -> Entry:
        """The entry that a row is; an empty cell is a key left out."""
        entry: Entry = {}
        for path, cell in zip(self.paths, cells, strict=False):
            if cell and path:
                put(entry, path, cell)
        return entry


def put(entry: Entry, path: Place, cell: str) -> None:
    """Puts a cell's text where it stands in an entry; "" takes it away."""
    *around, key = path
    for step in around:
        entry = entry.setdefault(step, {})
    if cell:
        entry[key] = cell
    else:
        entry.pop(key, None)


def cells_of(entry: Entry) -> Iterator[tuple[Place, str]]:
    """Every cell that an entry has."""
    for key, value in entry.items():
        if isinstance(value, dict):
            yield from (((key, *path), cell) for path, cell in cells_of(value))
        else:
            yield (key,), value


def name_column(path: Place) -> str:
    """The name of the column of a path."""
    return f"{_TAG}{path[1]}" if path[0] == "tags" else "_".join(map(str, path))
