"""Words: states, kinds and events of tickets as people read them, in the languages of the interface."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from devices.durations import format_duration
from devices.register import Text
from rules.words import SEVERITIES
from tickets.ticket import Event, EventKind, Kind, Pause, State
from tickets.titles import Language

STATES: Mapping[State, Text] = {
    "new": Text(en="new", zh="待受理"),
    "assigned": Text(en="assigned", zh="已派单"),
    "in_progress": Text(en="in progress", zh="处理中"),
    "waiting": Text(en="waiting", zh="挂起"),
    "done": Text(en="done, verifying", zh="完工待验证"),
    "resolved": Text(en="resolved", zh="已解决"),
    "closed": Text(en="closed", zh="已关闭"),
    "cancelled": Text(en="cancelled", zh="已取消"),
}

KINDS: Mapping[Kind, Text] = {
    "incident": Text(en="incident", zh="故障"),
    "repair": Text(en="repair", zh="报修"),
    "supplies": Text(en="supplies", zh="物资申领"),
    "inspection": Text(en="inspection", zh="巡检"),
    "suggestion": Text(en="suggestion", zh="建议"),
}

PAUSES: Mapping[Pause, Text] = {
    "parts": Text(en="parts", zh="等备件"),
    "access": Text(en="access", zh="等进场"),
    "third_party": Text(en="a third party", zh="等第三方"),
    "requester": Text(en="the requester", zh="等报修人"),
}

_EVENTS: Mapping[EventKind, Text] = {
    "opened": Text(en="opened", zh="创建"),
    "alerted": Text(en="alert again: {alerts}", zh="再次告警：{alerts}"),
    "joined": Text(en="{count} more: {alerts}", zh="并入 {count} 条告警：{alerts}"),
    "left": Text(en="{alerts} went to {into}", zh="{alerts} 转入 {into}"),
    "affected": Text(en="{count} affected: {alerts}", zh="受影响 {count} 项：{alerts}"),
    "cleared": Text(en="alert over: {alerts}", zh="告警恢复：{alerts}"),
    "amended": Text(en="the data now show more about {alerts}", zh="补传数据更正：{alerts}"),
    "acknowledged": Text(en="acknowledged", zh="知悉"),
    "taken": Text(en="taken", zh="接单"),
    "assigned": Text(en="assigned to {owner}", zh="派给 {owner}"),
    "handed_over": Text(en="handed over from {before} to {owner}", zh="由 {before} 转交 {owner}"),
    "paused": Text(en="waits for {pause}", zh="挂起：{pause}"),
    "resumed": Text(en="goes on", zh="继续处理"),
    "done": Text(en="work is done", zh="完工"),
    "resolved": Text(en="resolved", zh="解决"),
    "closed": Text(en="closed", zh="关闭"),
    "reopened": Text(en="reopened", zh="重开"),
    "cancelled": Text(en="cancelled", zh="取消"),
    "commented": Text(en="says", zh="留言"),
    "prioritised": Text(en="priority is now P{priority}", zh="优先级改为 P{priority}"),
    "rated": Text(
        en="rated: speed {speed}, attitude {attitude}, resolution {resolution}",
        zh="评价：速度 {speed}，态度 {attitude}，效果 {resolution}",
    ),
    "escalated": Text(en="escalated: {step} of the time has passed", zh="升级：{step} 时限已到"),
    "muted": Text(en="alerts are kept quiet until {until}", zh="告警静默至 {until}"),
    "referenced": Text(en="{channel} calls it {reference}", zh="{channel} 中的单号为 {reference}"),
}

_AMENDMENTS: Mapping[str, Text] = {
    "began_earlier": Text(
        en="the data now show that {alerts} began at {since}", zh="补传数据表明 {alerts} 始于 {since}"
    ),
    "was_reporting": Text(
        en="the data now show that {alerts} was measuring all along", zh="补传数据表明 {alerts} 一直在测量"
    ),
}

_REASONS: Mapping[EventKind, Mapping[str, Text]] = {
    "closed": {"quiet_for": Text(en="the telemetry stayed good for {quiet_for}", zh="遥测已保持正常 {quiet_for}")},
    "cancelled": {"into": Text(en="goes on in {into}", zh="并入 {into}")},
    "joined": {"reason": Text(en="{reason}", zh="{reason}")},
    "prioritised": {"severity": Text(en="an alert in it is {severity}", zh="含{severity}告警")},
    "cleared": {"reason": Text(en="{reason}", zh="{reason}")},
}

_REOPENED: Mapping[str, Text] = {
    "alerted": Text(en="the alert came again", zh="再次告警"),
    "still_firing": Text(en="the telemetry is still bad", zh="遥测仍异常"),
}


def tell_event(event: Event, language: Language, zone: ZoneInfo) -> str:
    """What happened, in one line; what the person said is not in it.

    Args:
        event: of a ticket's history.
        language: of the reader.
        zone: for times.
    """
    if event.kind == "opened":
        return _EVENTS["opened"].pick(language)  # its details are the fields of the ticket
    details = event.details
    words = {name: value for name, value in details.items() if isinstance(value, str | int)}
    words["alerts"] = _list_alerts(event, language)
    for name in ("until", "alert_since"):
        if name in details:
            words[name.removeprefix("alert_")] = _write_moment(details[name], zone)
    if "quiet_for" in details:
        words["quiet_for"] = format_duration(details["quiet_for"])
    if "severity" in details:
        words["severity"] = SEVERITIES[details["severity"]] if language == "zh" else details["severity"]
    if event.kind == "paused":
        words["pause"] = PAUSES[details["reason"]].pick(language)
    template = _EVENTS[event.kind]
    if event.kind == "amended":
        template = _AMENDMENTS.get(details["cause"], template)
    reasons = [text for name, text in _REASONS.get(event.kind, {}).items() if details.get(name)]
    if event.kind == "reopened" and details.get("why") in _REOPENED:
        reasons.append(_REOPENED[details["why"]])
    parts = [each.pick(language).format(**words) for each in (template, *reasons)]
    return parts[0] if len(parts) == 1 else _bracket(parts, language)


def _bracket(parts: list[str], language: Language) -> str:
    return f"{parts[0]}（{parts[1]}）" if language == "zh" else f"{parts[0]} ({parts[1]})"


def _list_alerts(event: Event, language: Language) -> str:
    names = event.details.get("alerts") or filter(None, [event.details.get("alert")])
    shown = ("、" if language == "zh" else ", ").join(names)
    return shown + (" …" if event.details.get("count", 0) > len(event.details.get("alerts", ())) else "")


def _write_moment(time: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(time // 10**9, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M")
