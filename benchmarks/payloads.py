"""Reads the real payloads of the corpus with the built-in profiles, and tells what was right, wrong, or said nothing.

    .venv/bin/python benchmarks/payloads.py [--data FOLDER] [FAMILY…]

A record counts where it says something about electricity, water, access or safety (see benchmarks/oracles.py).
It is right where one of its readings says exactly that. Exit code 1 below the aim of 95 %.
"""

import argparse
import json
import sys
from collections import Counter
from math import isclose
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from rich.console import Console
from rich.table import Table

from benchmarks.adoption import RECEIVED, adopt
from benchmarks.oracles import Case, Record, Values, find_case
from devices.errors import Undecodable
from devices.language.catalog import Catalog
from devices.reading import Reading, Value

_AIM = 0.95
_DATA = Path(__file__).parents[2] / "shared" / "data"


class Verdict(NamedTuple):
    """What became of a record: right, wrong, or silent (it says nothing of these kinds)."""

    record: Record
    outcome: str
    detail: str


def main() -> None:
    """Prints a table of families, and every record that was not right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=_DATA, help="the folder that holds payloads/FAMILY/examples.jsonl")
    parser.add_argument("families", nargs="*", help="left out: all")
    arguments = parser.parse_args()
    files = sorted((arguments.data / "payloads").glob("*/examples.jsonl"))
    if not files:
        print(f"There are no payloads in {arguments.data}; name their folder with --data.")
        return
    verdicts: list[Verdict] = []
    for file in files:
        if not arguments.families or file.parent.name in arguments.families:
            verdicts += [judge(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
    sys.exit(0 if show(verdicts) >= _AIM else 1)


def judge(record: Record) -> Verdict:
    """Reads a record."""
    case = find_case(record)
    readings, error = _read(case)
    if not case.expected:
        said = ", ".join(sorted({name for reading in readings for name in reading.values})) or error or "ignored"
        return Verdict(record, "silent", f"{case.reason}; read: {said}")
    for reading in readings:
        if not _compare(case.expected, reading):
            return Verdict(record, "right", "")
    best = min((_compare(case.expected, reading) for reading in readings), key=len, default=[error or "no reading"])
    return Verdict(record, "wrong", "; ".join(best))


def _read(case: Case) -> tuple[list[Reading], str]:
    if case.profile not in Catalog():
        return [], f"there is no profile {case.profile}"
    try:
        decoder = adopt(
            case.profile,
            [(case.topic, case.payload)],
            topic=case.topic if case.own_topic else "",
            kind=case.kind,
            pulse_weight=case.pulse_weight,
            address=case.address,
        )
        return decoder.decode(case.topic, case.payload, RECEIVED), ""
    except Undecodable as error:
        return list(error.readings), str(error)


def _compare(expected: Values, reading: Reading) -> list[str]:
    # A credential is stored as a hash: that there is one must do.
    wanted = {name: value for name, value in expected.items() if name != "credential" or name not in reading.values}
    return [
        f"{name}: expected {value}, got {reading.values.get(name, 'nothing')}"
        for name, value in wanted.items()
        if not _same(value, reading.values.get(name))
    ]


def _same(one: Value, other: Value | None) -> bool:
    if isinstance(other, bool | str | None) or isinstance(one, bool | str):
        return one == other
    return isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def show(verdicts: list[Verdict]) -> float:
    """Prints what was found; the share of right records among those that say something."""
    console = Console(width=150)
    table = Table("family", "records", "say something", "right", "wrong", "share")
    families = sorted({verdict.record["family"] for verdict in verdicts})
    counts = {name: Counter(v.outcome for v in verdicts if v.record["family"] == name) for name in families}
    total = sum(counts.values(), Counter[str]())
    for name, count in [*counts.items(), ("all", total)]:
        saying = count["right"] + count["wrong"]
        share = f"{count['right'] / saying:.0%}" if saying else "-"
        table.add_row(name, *map(str, (count.total(), saying, count["right"], count["wrong"], share)))
    console.print(table)
    for outcome in ("wrong", "silent"):
        console.print(
            f"\n{outcome.capitalize()}:" if outcome == "wrong" else "\nSay nothing about these kinds, and why:"
        )
        for record, found, detail in verdicts:
            if found == outcome:
                console.print(f"  {record['id']} ({record['device']}): {detail}", markup=False, highlight=False)
    saying = total["right"] + total["wrong"]
    return total["right"] / saying if saying else 1.0


if __name__ == "__main__":
    main()
