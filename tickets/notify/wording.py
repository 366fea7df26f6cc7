"""What people read: one message about one ticket, or about many."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from devices.register import Text
from rules.alerts import Subject
from rules.site import Site
from tickets.deskplan import DeskPlan
from tickets.notify.messenger import Message
from tickets.notify.topic import Topic
from tickets.ticket import RUNNING, Event, Ticket
from tickets.titles import Language, name_place, name_subject, write_value
from tickets.wording import STATES, tell_event

LISTED = 10
"""Tickets that one message names; it says how many more there are."""

_EVENTS_SHOWN = 10
_LONGEST_SUBJECT = 200
_LONGEST_COMMENT = 500

_LABELS: Mapping[str, Text] = {
    "what": Text(en="What", zh="事项"),
    "where": Text(en="Where", zh="地点"),
    "about": Text(en="About", zh="对象"),
    "since": Text(en="Since", zh="始于"),
    "value": Text(en="Value", zh="数值"),
    "priority": Text(en="Priority", zh="优先级"),
    "state": Text(en="State", zh="状态"),
    "respond_by": Text(en="Respond by", zh="响应时限"),
    "finish_by": Text(en="Finish by", zh="完成时限"),
    "owner": Text(en="Owner", zh="负责人"),
    "on_duty": Text(en="On duty", zh="值班"),
    "runbook": Text(en="Runbook", zh="处置手册"),
    "link": Text(en="See", zh="查看"),
}
_LINE = Text(en="{label}: {text}", zh="{label}：{text}")
_LIMIT = Text(en="{value} (limit {limit})", zh="{value}（限值 {limit}）")
_NOBODY = Text(en="nobody yet", zh="暂无")
_PASSED = Text(en="It is over by now.", zh="现已恢复。")
_SUBJECT = Text(en="[P{priority}] {number} {title}: {event}", zh="[P{priority}] {number} {title}：{event}")
_MANY = Text(
    en="[P{priority}] {count} tickets: {title} and {more} more",
    zh="[P{priority}] {count} 张工单：{title} 等，另 {more} 张",
)
_ENTRY = Text(en="[P{priority}] {number} {title}: {event}", zh="[P{priority}] {number} {title}：{event}")
_MORE = Text(en="and {more} more", zh="另有 {more} 张")
_KEY = Text(en="Message {key}", zh="消息编号 {key}")


class Wording:
    """Words messages of one site."""

    def __init__(self, plan: DeskPlan, site: Site, link: str) -> None:
        """Prepares it.

        Args:
            plan: knows people.
            site: knows devices, places and the time zone.
            link: to a ticket, with `{number}`; "" for none.
        """
        self._plan, self._site, self._link = plan, site, link

    def write(self, topics: Sequence[Topic], key: str, language: Language) -> Message:
        """A message.

        Args:
            topics: what to tell, at least one.
            key: of the message: who gets it twice can see that it is the same.
            language: of the reader.
        """
        if len(topics) == 1:
            subject, lines = self._write_one(topics[0], language)
        else:
            subject, lines = self._write_many(topics, language)
        return Message(subject[:_LONGEST_SUBJECT], "\n".join([*lines, "", _KEY.pick(language).format(key=key)]))

    def find_link(self, ticket: Ticket) -> str:
        """Where a ticket can be seen; "" where nowhere."""
        return self._link.replace("{number}", ticket.number)

    # ── one ticket ───────────────────────────────────────────────────────────────────────────────────────────────

    def _write_one(self, topic: Topic, language: Language) -> tuple[str, list[str]]:
        lines = [_label(name, text, language) for name, text in self._describe(topic.ticket, language) if text]
        if topic.passed:
            lines += ["", _PASSED.pick(language)]
        lines.append("")
        for event in topic.events[-_EVENTS_SHOWN:]:
            lines += self._tell(event, language)
        return _fill(_SUBJECT, topic, language, self._site), lines

    def _describe(self, ticket: Ticket, language: Language) -> Iterator[tuple[str, str]]:
        running = ticket.state in RUNNING
        yield "what", ticket.title
        yield "where", name_place(ticket.place, self._site.places, language)
        yield "about", self._name_subject(ticket, language)
        yield "since", self._write_moment(ticket.since)
        yield "value", _write_evidence(ticket, language)
        yield "priority", f"P{ticket.priority}"
        yield "state", STATES[ticket.state].pick(language)
        yield "respond_by", self._write_moment(ticket.response_due if running and not ticket.responded_at else None)
        yield "finish_by", self._write_moment(ticket.resolution_due if running else None)
        yield "owner", self._name_person(ticket.owner, language) or (_NOBODY.pick(language) if ticket.open else "")
        yield "on_duty", self._name_person(ticket.assignee, language) if running and not ticket.owner else ""
        yield "runbook", ticket.runbook
        yield "link", self.find_link(ticket)

    def _tell(self, event: Event, language: Language) -> Iterator[str]:
        yield f"{self._write_moment(event.at)} {tell_event(event, language, self._site.zone)}"
        if event.comment:
            text = " ".join(event.comment.split())[:_LONGEST_COMMENT]
            who = self._name_person(event.who, language)
            yield "  " + (_label_text(who, text, language) if who else text)

    def _name_person(self, id_: str, language: Language) -> str:
        person = self._plan.people.get(id_)
        return person.name.pick(language, id_) if person else id_

    def _name_subject(self, ticket: Ticket, language: Language) -> str:
        if ticket.subject_kind != "device":
            return ""  # a place stands in `where`
        return name_subject(Subject("device", ticket.subject_id), self._site, language)

    def _write_moment(self, time: int | None) -> str:
        if time is None:
            return ""
        return datetime.fromtimestamp(time // 10**9, UTC).astimezone(self._site.zone).strftime("%Y-%m-%d %H:%M")

    # ── many tickets ─────────────────────────────────────────────────────────────────────────────────────────────

    def _write_many(self, topics: Sequence[Topic], language: Language) -> tuple[str, list[str]]:
        ranked = sorted(topics, key=lambda topic: (topic.ticket.priority, topic.ticket.number))
        lines: list[str] = []
        for topic in ranked[:LISTED]:
            place = name_place(topic.ticket.place, self._site.places, language)
            below = " · ".join(filter(None, (place, self.find_link(topic.ticket))))
            lines += [_fill(_ENTRY, topic, language, self._site), *([f"  {below}"] if below else [])]
        if len(ranked) > LISTED:
            lines += ["", _MORE.pick(language).format(more=len(ranked) - LISTED)]
        first = ranked[0].ticket
        subject = _MANY.pick(language).format(
            priority=first.priority, count=len(ranked), title=first.title, more=len(ranked) - 1
        )
        return subject, lines


def _fill(template: Text, topic: Topic, language: Language, site: Site) -> str:
    ticket = topic.ticket
    told = tell_event(topic.events[-1], language, site.zone)
    if topic.passed:
        told = STATES[ticket.state].pick(language)
    return template.pick(language).format(
        priority=ticket.priority, number=ticket.number, title=ticket.title, event=told
    )


def _write_evidence(ticket: Ticket, language: Language) -> str:
    evidence = ticket.evidence
    value, limit = (write_value(evidence.get(name), evidence.get("unit", ""), language) for name in ("value", "limit"))
    return _LIMIT.pick(language).format(value=value, limit=limit) if value and limit else value


def _label(name: str, text: str, language: Language) -> str:
    return _label_text(_LABELS[name].pick(language), text, language)


def _label_text(label: str, text: str, language: Language) -> str:
    return _LINE.pick(language).format(label=label, text=text)
