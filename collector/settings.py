"""The settings: config/siteward.yaml as a model. Its fields are the only definition of what may stand there."""

from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import jmespath
from pydantic import AfterValidator, ByteSize, Field, model_validator

from devices.durations import NANOSECONDS
from devices.register import Duration, Identifier, Model, Place, Text
from devices.timestamps import check_zone

DAY = NANOSECONDS["d"]

BATCH_SIZE = 10_000
FLUSH_INTERVAL = 250 * NANOSECONDS["ms"]
"""How readings go into a store whose settings say nothing else."""


def _check_listen(address: str) -> str:
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 - the largest port
        raise ValueError(f"expected HOST:PORT such as 127.0.0.1:9464, got {address!r}")
    return address


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:  # no number, or beyond 65535
        return False


class Site(Model):
    """The site itself."""

    id: Place = Field(description="Short name; a tag of every reading and a part of topics.")
    name: Text = Field(Text(), description="What people call it.")
    timezone: Annotated[str, AfterValidator(check_zone)] = Field("UTC", description="IANA name.")
    language: Literal["en", "zh"] = Field("en", description="Language of tickets, reports and pages.")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.timezone)


class Mqtt(Model):
    """The broker and the session there."""

    url: str = Field(description="mqtts://HOST:8883, or mqtt://HOST:1883 without TLS.")
    client_id: Identifier = Field(
        description="Fixed name of the session: what arrives while Siteward is down waits under it.",
    )
    username: str = Field("", description="Left out: no user name is sent.")
    password_file: Path | None = Field(None, description="File that holds the password.")
    ca_file: Path | None = Field(None, description="Certificate authority; left out: the system's.")
    cert_file: Path | None = Field(None, description="Client certificate.")
    key_file: Path | None = Field(None, description="Key of the client certificate.")
    keepalive: Duration = Field(30 * NANOSECONDS["s"], description="Longest silence on the connection.")
    session_expiry: Duration = Field(
        7 * DAY,
        description="How long the broker keeps messages for us while we are away (MQTT 5).",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or not _has_good_port(parts):
            raise ValueError(f"url: expected mqtts://HOST:PORT or mqtt://HOST:PORT, got {self.url!r}")
        if parts.username or parts.password:
            raise ValueError("url: leave user name and password out; use username and password_file")
        if self.password_file and not self.username:
            raise ValueError("password_file: needs a username")
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("cert_file and key_file: give both or neither")
        if parts.scheme == "mqtt" and (self.ca_file or self.cert_file):
            raise ValueError("url: ca_file and cert_file need mqtts://")
        return self

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def host(self) -> str:
        """Name or address of the broker."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port in the address, else MQTT's own: 8883 with TLS, 1883 without."""
        return urlsplit(self.url).port or (8883 if self.tls else 1883)


class InfluxStore(Model):
    """InfluxDB 1, 2, 3 or what speaks like it."""

    kind: Literal["influxdb"] = Field(description="influxdb: a database server; embedded: a SQLite file in data_dir.")
    api: Literal["v1", "v2"] = Field("v2", description="v1 writes to /write (InfluxDB 1), v2 to /api/v2/write.")
    url: str = Field(description="http(s)://HOST:PORT")
    org: str = Field("", description="v2: organisation.")
    bucket: str = Field("", description="v2: bucket.")
    token_file: Path | None = Field(None, description="v2: file that holds the token.")
    database: str = Field("", description="v1: database.")
    username: str = Field("", description="v1: user name; left out: none is sent.")
    password_file: Path | None = Field(None, description="v1: file that holds the password.")
    ca_file: Path | None = Field(None, description="Certificate authority; left out: the system's.")
    gzip: bool | None = Field(None, description="Compress what is written; left out: unless it is on loopback.")
    batch_size: int = Field(BATCH_SIZE, ge=1, le=50_000, description="Most readings in one write.")
    flush_interval: Duration = Field(
        FLUSH_INTERVAL,
        description="Longest wait for more readings before a write.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not _has_good_port(parts):
            raise ValueError(f"url: expected http://HOST:PORT or https://HOST:PORT, got {self.url!r}")
        if parts.username or parts.password:
            raise ValueError("url: leave user name and password out; use token_file, or username and password_file")
        other = {"v1": ("org", "bucket", "token_file"), "v2": ("database", "username", "password_file")}[self.api]
        for name in other:
            if getattr(self, name):
                raise ValueError(f"{name}: belongs to api {'v2' if self.api == 'v1' else 'v1'}, not {self.api}")
        needed = "database" if self.api == "v1" else "bucket"
        if not getattr(self, needed):
            raise ValueError(f"{needed}: needed for api {self.api}")
        if self.password_file and not self.username:
            raise ValueError("password_file: needs a username")
        return self


class EmbeddedStore(Model):
    """A SQLite file in data_dir: for a first try, and for sites with no database server."""

    kind: Literal["embedded"] = Field(
        "embedded",
        description="influxdb: a database server; embedded: a SQLite file in data_dir.",
    )


Store: TypeAlias = Annotated[InfluxStore | EmbeddedStore, Field(discriminator="kind")]


class Http(Model):
    """The daemon's own address: /metrics /healthz /readyz /live."""

    listen: Annotated[str, AfterValidator(_check_listen)] = Field("127.0.0.1:9464", description="HOST:PORT")


class Journal(Model):
    """The gateway's durable log."""

    quota: ByteSize = Field(
        ByteSize(2_000_000_000),
        ge=10_000_000,
        description="Largest size on disk. When it is full the broker keeps what follows; nothing is dropped.",
    )
    keep: Duration = Field(
        3 * DAY,
        description="How long readings stay for `journal replay` after everybody has read them, if there is room.",
    )


class Quarantine(Model):
    """What could not be decoded or stored."""

    keep: Duration = Field(30 * DAY, description="How long messages stay.")
    max_size: ByteSize = Field(
        ByteSize(100_000_000),
        ge=1_000_000,
        description="Room for them; beyond it the oldest of the largest group go, and stay counted.",
    )


class Time(Model):
    """Which times of devices are believed. Others are replaced by the arrival, and kept beside it."""

    past: Duration = Field(35 * DAY, description="A reading may be this old.")
    future: Duration = Field(5 * NANOSECONDS["m"], description="A clock may be this fast.")


class Retention(Model):
    """How long the embedded store keeps what; InfluxDB has its own policies."""

    raw: Duration = Field(90 * DAY, description="Readings as they came.")
    quarter_hours: Duration = Field(3 * 365 * DAY, description="15-minute summaries.")
    days: Duration = Field(20 * 365 * DAY, description="Daily summaries.")


class Access(Model):
    """Doors, and who passes them."""

    credential_key_file: Path | None = Field(
        None,
        description="Keys of the hash of card numbers; left out: credential.keys in data_dir, made at the first start.",
    )


class Database(Model):
    """A PostgreSQL database of the desk's own."""

    url: str = Field(description="postgresql://USER@HOST:5432/NAME")
    password_file: Path | None = Field(None, description="File that holds the user's password.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme != "postgresql" or not parts.hostname or not parts.path.strip("/") or not _has_good_port(parts):
            raise ValueError(f"url: expected postgresql://USER@HOST:PORT/NAME, got {self.url!r}")
        if parts.password:
            raise ValueError("url: leave the password out; use password_file")
        return self


class Desk(Model):
    """Where tickets are kept."""

    database: Database | None = Field(None, description="Left out: desk.db in data_dir, a SQLite file.")


class PersonalChannel(Model):
    """Tells each person at an address of their own: mail, text messages, direct messages."""

    kind: Literal["personal"] = Field(
        description="personal: people have addresses; room: many read; webhook: a system."
    )
    url_file: Path | None = Field(None, description="File with apprise's URL; a personal one has `{address}`.")


class RoomChannel(Model):
    """Tells where a team reads together: a group in WeCom, DingTalk or Feishu, a channel in Slack or Teams."""

    kind: Literal["room"] = Field(description="personal: people have addresses; room: many read; webhook: a system.")
    url_file: Path | None = Field(None, description="File with apprise's URL; a personal one has `{address}`.")
    teams: list[Identifier] = Field(default_factory=list, description="Whose tickets; left out: all.")
    language: Literal["en", "zh"] | None = Field(None, description="Left out: the site's.")


def _check_query(query: str) -> str:
    try:
        jmespath.compile(query)
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(f"expected a JMESPath such as workOrder.number, got {query!r}: {error}") from None
    return query


class WebhookChannel(Model):
    """Tells an outside system, such as a CMMS, in signed JSON; see docs/notifications.md."""

    kind: Literal["webhook"] = Field(description="personal: people have addresses; room: many read; webhook: a system.")
    url: str = Field(description="https://HOST/PATH")
    secret_file: Path | None = Field(None, description="File with the key of signatures.")
    ca_file: Path | None = Field(None, description="Certificate authority; left out: the system's.")
    answer: Annotated[str, AfterValidator(_check_query)] | Literal[""] = Field(
        "", description="JMESPath of the work order's number in the answer; left out: it gives none."
    )
    timeout: Duration = Field(10 * NANOSECONDS["s"], description="Longest wait for the answer.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not _has_good_port(parts):
            raise ValueError(f"url: expected https://HOST/PATH, got {self.url!r}")
        if parts.username or parts.password:
            raise ValueError("url: leave user name and password out; messages are signed")
        if parts.scheme == "http" and self.ca_file:
            raise ValueError("url: ca_file needs https://")
        return self


Channel: TypeAlias = Annotated[PersonalChannel | RoomChannel | WebhookChannel, Field(discriminator="kind")]


class Notify(Model):
    """Who is told of tickets, and how."""

    channels: dict[Identifier, Channel] = Field(
        default_factory=dict, description="By names that desk.yaml's `contacts` use."
    )
    link: str = Field("", description="Where a ticket can be seen: https://HOST/tickets/{number}")
    gather: Duration = Field(20 * NANOSECONDS["s"], description="What happens within it goes into one message.")
    most_per_hour: int = Field(12, ge=1, description="Messages to one recipient over one channel; the rest waits.")
    give_up_after: Duration = Field(3 * DAY, description="How long a message that nobody takes is tried again.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        parts = urlsplit(self.link)
        if self.link and (parts.scheme not in {"http", "https"} or "{number}" not in self.link):
            raise ValueError(f"link: expected an address such as https://desk/tickets/{{number}}, got {self.link!r}")
        if self.gather >= self.give_up_after:
            raise ValueError("give_up_after: must be longer than gather")
        return self


class Settings(Model):
    """config/siteward.yaml."""

    site: Site
    data_dir: Path = Field(description="Where the journal and the embedded store live.")
    mqtt: Mqtt
    store: Store = EmbeddedStore()
    http: Http = Http()
    journal: Journal = Journal()
    quarantine: Quarantine = Quarantine()
    time: Time = Time()
    access: Access = Access()
    desk: Desk = Desk()
    notify: Notify = Notify()
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.retention.raw <= self.time.past:
            raise ValueError("retention.raw: must be longer than time.past, or late readings would spoil summaries")
        return self


def read_secret(path: Path) -> str:
    """The content of a secret file without its last line break.

    Raises:
        OSError: it cannot be read.
    """
    return path.read_text(encoding="utf-8").rstrip("\r\n")
