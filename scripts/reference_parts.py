"""What all pages of the reference are made of: tables, and the models below a model."""

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

NOTE = "<!-- written by scripts/write_reference.py -->\n"


def write_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def find_models(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - any annotation
    """The models that a field may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in find_models(part)]


def _list_inner(field: FieldInfo) -> list[type[BaseModel]]:
    return [model for model in find_models(field.annotation) if model.__name__ != "Text"]


def walk(model: type[BaseModel], done: set[type[BaseModel]]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Every model below another, with the key under which it stands first."""
    for name, field in model.model_fields.items():
        for inner in _list_inner(field):
            if inner not in done:
                done.add(inner)
                yield name, inner
                yield from walk(inner, done)
