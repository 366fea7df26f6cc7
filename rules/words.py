"""Rules in words, for people: when one fires, whom it watches, and what follows."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from pydantic import BaseModel

from devices.durations import write_duration
from devices.quantities import write_quantity
from devices.register import Device, Text
from rules.bounds import RATINGS, Bound
from rules.coverage import find_coverage
from rules.rule import Group, Rule, TicketPlan
from rules.site import Site

Language: TypeAlias = Literal["en", "zh"]


class Line(NamedTuple):
    """One thing that is said of a rule: `fires when`, `voltage_v is above 253 V`."""

    head: str
    text: str


def explain(rule: Rule, site: Site, language: Language, device: Device | None = None) -> list[Line]:
    """What a rule means.

    Args:
        rule: which.
        site: on which it holds.
        language: of the words.
        device: for whom its numbers are wanted; None: as they are written.
    """
    lines = [
        (Text(en="fires when", zh="触发条件"), _say_condition(rule, device, language)),
        (Text(en="is over", zh="恢复条件"), _say_end(rule)),
        (Text(en="watches", zh="监视对象"), _say_subjects(rule, site, device)),
        (Text(en="holds", zh="生效时间"), _say_hours(rule)),
        (Text(en="severity", zh="严重程度"), Text(en=rule.severity, zh=SEVERITIES[rule.severity])),
        (Text(en="inhibition", zh="抑制"), _say_inhibition(rule, site, device)),
        (Text(en="ticket", zh="工单"), _say_ticket(rule.ticket, rule.group, language)),
    ]
    return [Line(head.pick(language), text.pick(language)) for head, text in lines if text.pick(language)]


SEVERITIES = {"info": "提示", "minor": "一般", "major": "重要", "critical": "严重"}


def _say_condition(rule: Rule, device: Device | None, language: Language) -> Text:
    words = rule.when.describe().pick(language)
    for bound in dict.fromkeys(_find_bounds(rule.when)) if device else ():
        written, unit = bound.describe().pick(language), RATINGS.get(bound.rating, "")
        rating = getattr(device, bound.rating, None)
        if rating is not None:
            number = write_quantity(float(f"{bound.resolve(unit, device):.10g}"), unit)
            base = written.replace(bound.rating, f"{bound.rating} {write_quantity(rating, unit)}")
            words = words.replace(written, f"{number} ({base})")
    if not rule.for_:
        return Text(en=words, zh=words)
    duration = write_duration(rule.for_)
    return Text(en=f"{words}, for at least {duration}", zh=f"{words}，且持续至少 {duration}")


def _find_bounds(value: object) -> Iterator[Bound]:
    """Every bound within a model that refers to a rating."""
    if isinstance(value, Bound):
        if value.rating:
            yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _find_bounds(getattr(value, name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _find_bounds(item)


def _say_end(rule: Rule) -> Text:
    if not rule.keep_firing_for:
        return Text(en="as soon as that is so no more", zh="条件不再满足即恢复")
    duration = write_duration(rule.keep_firing_for)
    return Text(en=f"when that has not been so for {duration}", zh=f"条件不再满足持续 {duration} 后恢复")


_PER_ZH = {"device": "每台设备", "area": "每个区域", "floor": "每个楼层", "building": "每栋楼", "site": "整个园区"}


def _say_subjects(rule: Rule, site: Site, device: Device | None) -> Text:
    coverage = find_coverage(rule, site)
    if device is not None:
        return _say_subject(rule, device, site, coverage.unfit.get(device.id, ""))
    selected = ", ".join(f"{name} {' / '.join(map(str, wanted))}" for name, wanted in _list_selection(rule) if wanted)
    count, left_out = len(coverage.subjects), len(coverage.unfit)
    en = f"each {rule.per}" if rule.per != "site" else "the site"
    en += f" of {selected}" if selected else ""
    en += "" if rule.enabled else "; switched off"
    zh = _PER_ZH[rule.per] + (f"：{selected}" if selected else "") + ("" if rule.enabled else "；已停用")
    return Text(
        en=f"{en}; now {count}" + (f", and {left_out} left out" if left_out else ""),
        zh=f"{zh}；当前 {count} 个" + (f"，另有 {left_out} 台设备除外" if left_out else ""),
    )


def _list_selection(rule: Rule) -> Iterator[tuple[str, Sequence[str]]]:
    select = rule.select
    for name in ("kind", "building", "floor", "area", "device", "profile"):
        yield name, getattr(select, name) or ()
    yield from select.tags.items()


def _say_subject(rule: Rule, device: Device, site: Site, unfit: str) -> Text:
    if device not in rule.select:
        return Text(en=f"not {device.id}, which it does not select", zh=f"未选中 {device.id}")
    if unfit:
        return Text(en=f"not {device.id}, which has {unfit}", zh=f"{device.id} 除外：{unfit}")
    subject = site.subject_of(device, rule.per)
    return Text(en=str(subject), zh=f"{subject.id if subject else ''}")


def _say_hours(rule: Rule) -> Text:
    active, mute = ", ".join(rule.active or ()), ", ".join(rule.mute or ())
    en = [f"in {active}" if active else "always"] + ([f"but not in {mute}"] if mute else [])
    zh = [f"{active} 期间" if active else "始终"] + ([f"{mute} 期间除外"] if mute else [])
    return Text(en=", ".join(en), zh="，".join(zh))


def _say_inhibition(rule: Rule, site: Site, device: Device | None) -> Text:
    """What holds its alerts back, and what they hold back."""
    en, zh = [], []
    if rule.is_consequence:
        above = ", ".join(site.ancestors(device.id)) if device else ""
        if device is None or above:
            en.append(f"held back while {above or 'the gateway, controller or main meter above'} has failed")
            zh.append(f"上级（{above or '网关、控制器或总表'}）故障期间不单独报警")
    if rule.tells_failure and (device is None or site.has_below(device.id)):
        en.append("holds back alerts that follow from it on what hangs below")
        zh.append("抑制其下级设备由此引起的报警")
    return Text(en="; ".join(en), zh="；".join(zh))


_GROUPS_ZH = {"parent": "上级设备", "area": "区域", "floor": "楼层", "building": "楼栋", "site": "园区"}


def _say_ticket(ticket: TicketPlan | None, group: Group | None, language: Language) -> Text:
    if ticket is None:
        return Text(en="none", zh="无")
    en, zh = [ticket.category], [ticket.category]
    title = ticket.title.pick(language)
    if title:
        en.append(f'"{title}"')
        zh.append(f"“{title}”")
    if group is not None:
        within = write_duration(group.within)
        en.append(f"one for all with the same {group.by} within {within}")
        zh.append(f"{within} 内同一{_GROUPS_ZH[group.by]}的报警合并为一张")
    if ticket.verify is not None:
        quiet = write_duration(ticket.verify.quiet_for)
        en.append(f"closed once it has been quiet for {quiet} after the work")
        zh.append(f"处理后保持正常 {quiet} 才关闭")
    if ticket.clears == "wait":
        en.append("stays open until somebody says that it is done")
        zh.append("需人工确认完成")
    if ticket.runbook:
        en.append(f"see {ticket.runbook}")
        zh.append(f"参见 {ticket.runbook}")
    return Text(en="; ".join(en), zh="；".join(zh))
