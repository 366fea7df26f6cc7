"""What the report on access says, in both languages. `collector/reports/wording.py` takes it in."""

from collections.abc import Mapping

from devices.register import Text

DOOR_WORDS: Mapping[str, Text] = {
    "title.access": Text(en="Access report {period}", zh="门禁报告 {period}"),
    "heading.people": Text(en="When and where people pass", zh="通行情况"),
    "heading.refusals": Text(en="Who was refused", zh="拒绝情况"),
    "heading.doors": Text(en="Doors", zh="门的状态"),
    "access.entries": Text(en="Entries from outdoors", zh="由室外进入"),
    "access.entered": Text(en="Entries", zh="进入"),
    "access.passages": Text(en="Passages", zh="通行次数"),
    "access.credentials": Text(en="Credentials in use", zh="使用中的凭证"),
    "access.denied": Text(en="Refused", zh="拒绝"),
    "access.denied_share": Text(en="Refused, of all tries", zh="拒绝率"),
    "access.forced": Text(en="Forced open", zh="强行开门"),
    "access.held": Text(en="Held open", zh="开门超时"),
    "access.held_hours": Text(en="Held open in all", zh="开门超时总时长"),
    "access.longest": Text(en="Longest", zh="最长"),
    "access.unclosed": Text(en="Closing not told", zh="未报关门"),
    "access.faults": Text(en="Tampering, lock faults", zh="防拆与锁故障"),
    "access.off_hours": Text(en="Passages off hours", zh="非工作时段通行"),
    "access.off_hours_share": Text(en="Off hours", zh="非工作时段占比"),
    "access.peak": Text(en="Most people at once", zh="在场人数峰值"),
    "access.peak_at": Text(en="First at", zh="首次出现"),
    "access.people": Text(en="Credentials", zh="凭证数"),
    "access.reason": Text(en="Reason, as controllers say", zh="原因（控制器所报）"),
    "access.no_reason": Text(en="none given", zh="未说明"),
    "access.door": Text(en="Door", zh="门"),
    "access.tickets": Text(en="Tickets opened", zh="新建工单"),
    "access.few": Text(en="Places with fewer than {few} people", zh="不足 {few} 人的地点"),
    "access.few_reasons": Text(en="Reasons of fewer than {few} people", zh="不足 {few} 人的原因"),
    "access.by_day": Text(en="Passages by day", zh="逐日通行"),
    "access.denied_by_day": Text(en="Refusals by day", zh="逐日拒绝"),
    "access.by_hour": Text(en="Passages by hour and day of the week", zh="逐时逐星期通行次数"),
    "access.by_place": Text(en="By place", zh="按地点"),
    "access.by_reason": Text(en="By reason", zh="按原因"),
    "access.by_door": Text(en="Doors with most trouble", zh="问题最多的门"),
    "access.blank": Text(en="Blank: fewer than {few} people, or nothing told.", zh="空白：不足 {few} 人或无数据。"),
    "access.not_told": Text(en="not told: fewer than {few} people", zh="不足 {few} 人，不予显示"),
    "access.at": Text(en="first at {time}", zh="首次出现于 {time}"),
    "access.say": Text(
        en="{site} counted {passages} passages at {doors} doors in {period}.",
        zh="{period}，{site}的 {doors} 樘门共通行 {passages} 次。",
    ),
    "access.say_refused": Text(en="{denied} tries were refused.", zh="拒绝 {denied} 次。"),
    "access.say_doors": Text(
        en="Forced open: {forced}. Held open: {held}, for {hours} h in all.",
        zh="强行开门 {forced} 次，开门超时 {held} 次，共 {hours} 小时。",
    ),
    "access.say_nothing": Text(en="Doors told nothing in {period}.", zh="{period} 无门禁事件。"),
    "access.say_no_doors": Text(en="The register has no doors.", zh="设备台账中没有门。"),
    "access.say_few": Text(
        en="How many passed is not told: they were fewer than {few} people.", zh="通行人数不足 {few} 人，不予显示。"
    ),
    "access.say_no_refusals": Text(en="Nobody was refused.", zh="无拒绝记录。"),
    "access.say_no_trouble": Text(en="No door was forced, held open or faulty.", zh="无强行开门、开门超时或故障。"),
    "access.remark.privacy": Text(
        en="Nobody is named, and no credential is shown. A number of passages is told only where at least {few}"
        " different credentials are behind it, or none; places and reasons with fewer are put together. What doors do"
        " by themselves is told of every door.",
        zh="本报告不显示任何人员或凭证。仅当通行涉及至少 {few} 个不同凭证（或为零）时才显示次数；不足者合并列示。"
        "门自身的状态逐门列示。",
    ),
    "access.remark.held": Text(
        en="Held open: the controller says so, or the door stood open for {minutes} min. Forced open: the controller"
        " says so; what rules inferred beside that is in the tickets.",
        zh="开门超时：控制器所报，或开启达 {minutes} 分钟。强行开门：控制器所报；规则推断的见工单。",
    ),
    "access.remark.people": Text(
        en="People in a place are counted from who was let in and out; whoever is not heard of for 16 h is taken to"
        " have left.",
        zh="在场人数由进出记录推算；16 小时无记录者视为已离开。",
    ),
    "access.remark.kept": Text(
        en="The store keeps doors' events from {time} on: earlier ones are in no figure.",
        zh="数据库仅保存 {time} 以后的门禁事件，更早的未计入。",
    ),
    "access.remark.compare": Text(
        en="A period is compared with another where doors were heard in the week before each, and what they told is"
        " kept.",
        zh="仅当两期之前一周均有门禁事件且两期记录完整时才作对比。",
    ),
}
"""See `collector.reports.wording.Words`."""
