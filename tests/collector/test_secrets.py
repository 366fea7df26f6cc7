from pathlib import Path

import pytest

from collector.errors import CollectorError
from collector.secrets import mqtt_password, store_password, store_token
from collector.settings import InfluxStore, Mqtt


def mqtt(path: Path | None) -> Mqtt:
    return Mqtt(url="mqtt://127.0.0.1", client_id="a", username="u", password_file=path)


def store(path: Path | None) -> InfluxStore:
    return InfluxStore(kind="influxdb", url="http://127.0.0.1", bucket="b", token_file=path)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("from the file \r\n", encoding="utf-8")
    return path


def test_from_the_file_without_the_line_break(secret: Path) -> None:
    assert mqtt_password(mqtt(secret)) == "from the file "
    assert store_token(store(secret)) == "from the file "


def test_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEWARD_MQTT_PASSWORD", "")
    assert mqtt_password(mqtt(None)) is None
    assert store_token(store(None)) is None
    assert store_password(store(None)) is None


@pytest.mark.parametrize("path", [None, Path("/nowhere/secret")])
def test_the_environment_goes_first(path: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEWARD_MQTT_PASSWORD", "p")
    monkeypatch.setenv("SITEWARD_STORE_TOKEN", "t")
    monkeypatch.setenv("SITEWARD_STORE_PASSWORD", "s")
    v1 = InfluxStore(
        kind="influxdb", api="v1", url="http://h", database="d", username="u" if path else "", password_file=path
    )
    assert (mqtt_password(mqtt(path)), store_token(store(path)), store_password(v1)) == ("p", "t", "s")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none"
    with pytest.raises(CollectorError) as caught:
        mqtt_password(mqtt(path))
    assert str(caught.value) == (
        f"{path}: cannot read the secret: No such file or directory; mend the file or set SITEWARD_MQTT_PASSWORD"
    )


def test_a_file_that_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_text("\n")
    with pytest.raises(CollectorError, match="the secret is empty; write it into the file or set SITEWARD_STORE_TOKEN"):
        store_token(store(path))


def test_a_file_that_is_no_text_does_not_show_itself(tmp_path: Path) -> None:
    path = tmp_path / "binary"
    path.write_bytes(b"hunter2\xff")
    with pytest.raises(CollectorError, match="it is not UTF-8 text") as caught:
        mqtt_password(mqtt(path))
    assert "hunter2" not in str(caught.value)
