"""What doctor says about a broker, judged from what the broker answered. Pure: no I/O."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.checks.brokerqueue import Queue
from collector.store import Finding
from devices.durations import NANOSECONDS, format_duration

_RENEW_DAYS = 21

_VERSION = "$SYS/broker/version"
_DROPPED = "$SYS/broker/publish/messages/dropped"
_RATE = "$SYS/broker/load/publish/received/1min"
_STORED = "$SYS/broker/store/messages/count"
STATISTICS = (_VERSION, _DROPPED, _RATE, _STORED)
"""Mosquitto's names; few other brokers have them."""

SHARED_SESSION = (
    "the broker names sessions after users (use_username_as_clientid), so doctor got the daemon's session, left it"
    " at once, and looked no further; switch that off, and nobody else can take the daemon's session either"
)
OLD_PROTOCOL = (
    "with MQTT 3.1.1 Mosquitto sends 20 messages before the first is acknowledged, which limits the rate; set"
    " max_inflight_messages 1000 in mosquitto.conf, or use a broker with MQTT 5"
)
NOTHING_CAME = (
    "nothing came within a second; where that is strange, see the broker's ACL: Mosquitto's acl_file grants every"
    " filter and then withholds what may not be read"
)
_NO_STATISTICS = (
    "the broker offers none under $SYS, or its ACL withholds them (Mosquitto: topic read $SYS/#);"
    " then drops at the broker cannot be seen"
)
_DROPPED_ADVICE = (
    "(any client's, former measurements of the queue by this command among them): see whether `siteward ledger` misses"
    " any; a restart of the broker counts anew"
)
_AFTER_RESTART = (
    "whether a restart of the broker loses them cannot be seen from here: mosquitto.conf needs persistence true, and"
    " autosave_interval 30 against power cuts"
)


def judge_certificate(end: datetime, now: datetime) -> Finding:
    """Whether the broker's certificate is still good for a while."""
    days = (end - now).days
    message = f"valid until {end:%Y-%m-%d}, {days} days"
    if days < _RENEW_DAYS:
        return Finding("certificate", good=False, message=f"{message}: renew it before the broker is cut off")
    return Finding("certificate", good=True, message=message)


def judge_terms(terms: Properties, session_expiry: int) -> Iterator[Finding]:
    """What the broker grants in its answer to CONNECT (MQTT 5, 3.2.2.3; what it leaves out is unlimited).

    Args:
        terms: the properties of CONNACK.
        session_expiry: how long the session should be kept, ns.
    """
    wanted = format_duration(session_expiry)
    granted_s = getattr(terms, "SessionExpiryInterval", None)
    if granted_s is not None and granted_s < session_expiry // NANOSECONDS["s"]:
        granted = format_duration(granted_s * NANOSECONDS["s"])
        advice = f"not {wanted} as mqtt.session_expiry says; raise the broker's limit"
        message = f"the broker forgets us and our messages after {granted} of absence, {advice}"
        yield Finding("session", good=False, message=message)
    else:
        yield Finding("session", good=True, message=f"kept for {wanted} while Siteward is away")
    missing = [
        words
        for name, least, words in (
            ("MaximumQoS", 1, "QoS 1, without which readings get lost"),
            ("RetainAvailable", 1, "retained messages, which the status needs"),
            ("WildcardSubscriptionAvailable", 1, "wildcards in topic filters"),
        )
        if getattr(terms, name, least) < least
    ]
    if missing:
        yield Finding("limits", good=False, message=f"the broker does not offer {' and '.join(missing)}")
        return
    size = getattr(terms, "MaximumPacketSize", None)
    in_flight = getattr(terms, "ReceiveMaximum", 65_535)
    sizes = "packets of any size" if size is None else f"packets up to {size / 1e6:,.1f} MB"
    message = f"takes {sizes}, and {in_flight:,} messages before it acknowledges the first"
    yield Finding("limits", good=True, message=message)


def judge_filters(answers: Mapping[str, ReasonCode]) -> Finding:
    """Whether every wanted filter is granted at QoS 1."""
    refused = [f"{name} ({reason})" for name, reason in answers.items() if reason.is_failure]
    weak = [name for name, reason in answers.items() if reason.value == 0]
    if refused:
        message = f"refused: {', '.join(refused)}; allow reading in the broker's ACL"
    elif weak:
        message = f"granted at QoS 0 only, so readings get lost: {', '.join(weak)}"
    else:
        message = f"granted: {', '.join(answers)}"
    return Finding("subscriptions", good=not refused and not weak, message=message)


def judge_topic(topic: str, answer: ReasonCode | None, *, returned: bool) -> Finding:
    """Whether Siteward may use a topic of its own.

    Args:
        topic: it publishes to.
        answer: the broker's to a publication; None where none came.
        returned: whether the publication came back, or need not.
    """
    subject = topic.rpartition("/")[2]
    if answer is None or answer.is_failure:
        message = f"publishing to {topic} is refused ({answer or 'no answer'}); allow it in the broker's ACL"
        return Finding(subject, good=False, message=message)
    if not returned:
        message = f"what is published to {topic} does not come back; allow reading and writing it in the broker's ACL"
        return Finding(subject, good=False, message=message)
    return Finding(subject, good=True, message=f"{topic} may be published")


def judge_statistics(values: Mapping[str, str]) -> Finding:
    """What the broker says of itself under $SYS, topic to payload."""
    version = values.get(_VERSION)
    if version is None:
        return Finding("statistics", good=True, message=_NO_STATISTICS)
    rate, held, dropped = (_read_number(values.get(topic, "")) for topic in (_RATE, _STORED, _DROPPED))
    words = [version]
    if rate is not None:
        words.append(f"{rate:,.0f} messages/min published")
    if held is not None:
        words.append(f"{held:,.0f} in its store")
    if dropped is not None:
        words.append(f"{dropped:,.0f} dropped since its start" + (f" {_DROPPED_ADVICE}" if dropped else ""))
    return Finding("statistics", good=not dropped, message=", ".join(words))


def judge_queue(queue: Queue) -> Finding:
    """Whether an outage of the daemon loses messages at the broker."""
    if queue.kept == 0:
        message = "the broker keeps nothing for us while we are away; allow persistent sessions, named by their clients"
    elif queue.limited:
        message = (
            f"the broker keeps {queue.kept:,} messages for a client that is away, and drops what follows; set"
            " max_queued_messages 1000000 in mosquitto.conf (not 0: versions up to 2.0.21 get it wrong), or what your"
            f" broker calls it; {_AFTER_RESTART}"
        )
    else:
        message = f"at least {queue.kept:,} messages are kept for a client that is away; {_AFTER_RESTART}"
    return Finding("queue", good=queue.kept > 0 and not queue.limited, message=message)


def _read_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
