"""Vitals: the state of everything in a running daemon, for `/live`, `status`, the portal and the demo."""

from collections import Counter
from typing import TYPE_CHECKING

from devices.durations import NANOSECONDS

if TYPE_CHECKING:
    from collector.daemon import Daemon

_TICKETS_SHOWN = 20


def tell(daemon: "Daemon") -> dict[str, object]:
    """The state of everything; times in UTC ns."""
    session, writer, pipeline = daemon.subscriber.session, daemon.writer, daemon.pipeline
    return {
        "site": daemon.configuration.settings.site.id,
        "started": daemon.started_ns,
        "configuration": {
            "loaded": daemon.loaded_ns,
            "in_force": pipeline.decoder is daemon.configuration.decoder(),
        },
        "problems": daemon.obstacles(),
        "broker": {"state": session.state.value, "connects": session.connects, "trouble": session.trouble},
        "store": {"state": writer.state, "trouble": writer.trouble, "written": writer.written},
        "journal": {
            "head": daemon.journal.head,
            "store": writer.position,
            "bytes": daemon.journal.used_bytes,
            "quota_bytes": int(daemon.journal.quota_bytes),
        },
        "rules": {
            "state": daemon.judging.state,
            "judged": daemon.judging.position,
            "trouble": daemon.judging.trouble,
            "set_aside": daemon.judging.failed.copy(),
            "alerts": _count_alerts(daemon),
        },
        "notices": {
            "state": daemon.courier.state,
            "trouble": daemon.courier.trouble,
            "sent": daemon.courier.sent,
            "dead": daemon.courier.dead,
        },
        "annotations": {"state": daemon.annotator.state, "trouble": daemon.annotator.trouble},
        "rollups": {"written": daemon.rollups.written, "trouble": daemon.rollups.trouble},
        "tickets": [
            {
                "number": ticket.number,
                "title": ticket.title,
                "state": ticket.state,
                "priority": ticket.priority,
                "subject": ticket.subject_id,
                "alerts": ticket.alerts,
                "opened": ticket.opened_at,
            }
            for ticket in daemon.judging.tickets(_TICKETS_SHOWN)
        ],
        "counts": {
            "messages": pipeline.messages,
            "readings": pipeline.readings,
            "late": pipeline.late,
            "duplicates": pipeline.duplicates,
            "quarantined": pipeline.quarantined,
            "ignored": pipeline.ignored,
        },
        "clock_skew_s": {device: skew / NANOSECONDS["s"] for device, skew in daemon.clock_skews.items()},
        "devices": {
            device: {"time": reading.time, "values": reading.values}
            for device, reading in list(pipeline.latest.items())
        },
    }


def _count_alerts(daemon: "Daemon") -> dict[str, int]:
    """How many alerts are in each phase."""
    return Counter(alert.phase for alert in daemon.judging.alerts())
