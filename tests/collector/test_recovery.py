"""Every subject that doctor can name has a section in docs/operations/recovery.md, and every section a subject."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations" / "recovery.md").read_text(encoding="utf-8")
SECTIONS = set(re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE))

NAMED_ELSEWHERE = {
    "subject": {"status", "heartbeat"},  # the last part of a topic of ours
    "self._http.target": {"bucket", "database"},  # and its name
    "self._name": {"broker", "database", "gateway", "rules", "desk"},  # of an examination
}
"""Subjects that the code works out, by how it says them."""


def find_subjects() -> set[str]:
    """The first argument of every `Finding`; what varies in it as `…`."""
    found: set[str] = set()
    for path in sorted((ROOT / "collector").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding":
                subject = node.args[0]
                if isinstance(subject, ast.Constant):
                    found.add(str(subject.value))
                elif isinstance(subject, ast.JoinedStr):
                    found.add("".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in subject.values))
                else:
                    found |= NAMED_ELSEWHERE[ast.unparse(subject)]
    return found


def find_examinations() -> set[str]:
    tree = ast.parse((ROOT / "collector" / "doctor.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func) == "_Examination"}


def test_subjects_and_sections_are_the_same() -> None:
    assert find_subjects() == SECTIONS, "docs/operations/recovery.md and what doctor names differ"


def test_examinations_that_give_up_are_among_them() -> None:
    assert find_examinations() == NAMED_ELSEWHERE["self._name"]


def test_each_section_says_what_to_do() -> None:
    bodies = re.split(r"^### `.+`$", PAGE, flags=re.MULTILINE)[1:]
    assert [body for body in bodies if not re.search(r"\*[Dd]o:?\*", body) and "; only told." not in body] == []
