"""What the report on service says, in both languages. `collector/reports/wording.py` takes it in."""

from collections.abc import Mapping

from devices.register import Text

DESK_WORDS: Mapping[str, Text] = {
    "title.service": Text(en="Service report {period}", zh="运维服务报告 {period}"),
    "heading.work": Text(en="Tickets", zh="工单"),
    "heading.promises": Text(en="Speed and promises", zh="时效与承诺"),
    "heading.ratings": Text(en="Ratings", zh="评价"),
    "heading.causes": Text(en="Causes", zh="原因"),
    "service.opened": Text(en="Opened", zh="新建"),
    "service.done": Text(en="Done", zh="办结"),
    "service.backlog": Text(en="Left to do at the end", zh="期末未办结"),
    "service.reopened": Text(en="Reopened", zh="重开"),
    "service.response": Text(en="First answer, median", zh="首次响应（中位数）"),
    "service.response_most": Text(en="First answer, 9 of 10 within", zh="首次响应（九成以内）"),
    "service.resolution": Text(en="Work, median", zh="处理时长（中位数）"),
    "service.resolution_most": Text(en="Work, 9 of 10 within", zh="处理时长（九成以内）"),
    "service.response_kept": Text(en="Answered in time", zh="响应达标率"),
    "service.resolution_kept": Text(en="Done in time", zh="处理达标率"),
    "service.satisfied": Text(en="Satisfied", zh="满意率"),
    "service.ratings": Text(en="Ratings", zh="评价数"),
    "service.mark_speed": Text(en="Speed", zh="速度"),
    "service.mark_attitude": Text(en="Attitude", zh="态度"),
    "service.mark_resolution": Text(en="Result", zh="效果"),
    "service.marks": Text(en="of 5", zh="满分 5"),
    "service.kept": Text(en="kept", zh="达标"),
    "service.broken": Text(en="broken", zh="超时"),
    "service.team": Text(en="Team", zh="班组"),
    "service.category": Text(en="Category", zh="类别"),
    "service.kind": Text(en="Kind", zh="类型"),
    "service.priority": Text(en="Priority", zh="优先级"),
    "service.rule": Text(en="Rule", zh="规则"),
    "service.no_team": Text(en="no team", zh="无班组"),
    "service.answered": Text(en="Answered", zh="已响应"),
    "service.decided": Text(en="Decided", zh="已判定"),
    "service.by_day": Text(en="Tickets by day", zh="逐日工单"),
    "service.by_month": Text(en="Tickets by month", zh="逐月工单"),
    "service.by_team": Text(en="By team", zh="按班组"),
    "service.by_category": Text(en="By category", zh="按类别"),
    "service.by_kind": Text(en="By kind", zh="按类型"),
    "service.by_priority": Text(en="By priority", zh="按优先级"),
    "service.speed_by_team": Text(en="Speed by team, in hours that count", zh="各班组时效（计时小时）"),
    "service.kept_by_team": Text(en="Promises to be done in time, by team", zh="各班组处理承诺"),
    "service.by_rule": Text(en="Rules that opened most tickets", zh="建单最多的规则"),
    "service.dearest": Text(en="The dearest tickets", zh="费用最高的工单"),
    "service.answers_of": Text(en="{count} answers", zh="{count} 次响应"),
    "service.works_of": Text(en="{count} tickets", zh="{count} 张工单"),
    "service.promises_of": Text(en="{kept} of {decided}", zh="{decided} 张中 {kept} 张"),
    "service.ratings_of": Text(en="{count} ratings", zh="{count} 条评价"),
    "service.unanswered": Text(en="{count} not answered yet", zh="{count} 张尚未响应"),
    "service.say": Text(
        en="In {period} {opened} tickets were opened and {done} done; {backlog} were left to do at the end.",
        zh="{period} 新建工单 {opened} 张，办结 {done} 张，期末未办结 {backlog} 张。",
    ),
    "service.say_kept": Text(
        en="Of the promises that are decided, {response} to answer and {resolution} to be done in time were kept.",
        zh="已判定的承诺中，响应达标 {response}，处理达标 {resolution}。",
    ),
    "service.say_no_ratings": Text(en="Nobody rated a ticket.", zh="本期无评价。"),
    "service.say_no_rules": Text(en="No rule opened a ticket.", zh="无规则建单。"),
    "service.say_no_costs": Text(en="No ticket tells what it has cost.", zh="无可计费用的工单。"),
    "service.remark.days": Text(
        en="A ticket counts as opened and as done in the period in which it was; one that was reopened since is not"
        " done. Cancelled tickets were opened, and are never done.",
        zh="工单按新建与办结的时间分别计入；其后重开的不算办结；取消的计入新建，不计入办结。",
    ),
    "service.remark.hours": Text(
        en="Times are of the hours that count for the ticket: its team's calendar, or every hour where desk.yaml says"
        " always. The time of the work stands still while the ticket waits. Median and 90 % are of single tickets;"
        " 90 % is the time that nine of ten did not exceed (nearest rank).",
        zh="时长按工单的计时时间（班组日历，或 desk.yaml 中的全天）计算，挂起期间不计。"
        "九成值为九成工单未超过的时长（最近秩法）。",
    ),
    "service.remark.promises": Text(
        en="A promise belongs to the period in which its ticket was opened, and is judged as known when this report was"
        " made; what can still be kept is in no share.",
        zh="承诺计入工单新建所在期间，以本报告生成时的情况判定；尚可兑现的不计入。",
    ),
    "service.remark.ratings": Text(
        en="Satisfied are those whose three marks have a mean of 4 or more of 5. Nobody who worked or rated is named.",
        zh="三项评分均值不低于 4（满分 5）视为满意。本报告不显示处理人与评价人。",
    ),
    "service.remark.costs": Text(
        en="The cost of a ticket is that of what flowed beyond the normal within the period, by its alerts' evidence.",
        zh="工单费用指按告警证据本期内超出正常部分的费用。",
    ),
    "service.remark.compare": Text(
        en="A period is compared with another if the desk had begun before it.", zh="服务台启用以前的期间不作对比。"
    ),
}
"""See `collector.reports.wording.Words`."""
