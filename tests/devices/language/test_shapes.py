"""What is remembered of objects with the same keys."""

from devices.language.shapes import Shapes


def test_each_set_of_keys_is_worked_out_once() -> None:
    asked: list[tuple[str, ...]] = []

    def count(keys: tuple[str, ...]) -> int:
        asked.append(keys)
        return len(keys)

    shapes = Shapes(count)
    assert [shapes["a", "b"], shapes["a", "b"], shapes["b",]] == [2, 2, 1]
    assert asked == [("a", "b"), ("b",)]


def test_what_is_remembered_stays_small_whatever_arrives() -> None:
    shapes = Shapes(len)
    for number in range(5000):
        assert shapes[str(number), "x"] == 2
    assert shapes["x" * 3000,] == 1
    assert len(shapes) <= 256
    assert ("x" * 3000,) not in shapes
