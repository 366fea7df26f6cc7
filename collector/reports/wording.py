"""What reports say, in both languages; nothing else in reports has words of its own."""

from collections.abc import Mapping

from collector.reports.deskwording import DESK_WORDS
from collector.reports.doorwording import DOOR_WORDS
from collector.reports.formats.wording import FORMAT_WORDS
from collector.reports.period import Period
from collector.reports.periodnames import name_period
from devices.register import Text
from tickets.titles import Language


class Words:
    """The words of one language.

    Attributes:
        language: en or zh.
    """

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, /, **values: object) -> str:
        """What stands for a key; numbers in braces are given with it, and periods under their names.

        Raises:
            KeyError: nothing stands for it.
        """
        told = {name: self.name(value) if isinstance(value, Period) else value for name, value in values.items()}
        return WORDS[key].pick(self.language).format(**told)

    def name(self, period: Period) -> str:
        """What people call a period."""
        return name_period(period, self.language)

    def tell(self, sentences: list[str]) -> str:
        """Sentences as a paragraph."""
        return ("" if self.language == "zh" else " ").join(sentences)

    def join(self, parts: list[str]) -> str:
        """A list within a sentence."""
        return ("、" if self.language == "zh" else ", ").join(parts)


def write_number(value: float, digits: int = 0) -> str:
    """`12,345.6`."""
    return f"{value:,.{digits}f}"


def write_percent(share: float, digits: int = 1) -> str:
    """`12.3 %` of a share from 0 to 1."""
    return f"{share * 100:.{digits}f} %"


def _text(en: str, zh: str) -> Text:
    return Text(en=en, zh=zh)


WORDS: Mapping[str, Text] = {
    **FORMAT_WORDS,
    **DOOR_WORDS,
    **DESK_WORDS,
    # ── titles and headings ──
    "title.energy": _text("Energy report {period}", "用电报告 {period}"),
    "title.water": _text("Water report {period}", "用水报告 {period}"),
    "title.carbon": _text("Carbon report {period}", "碳排放报告 {period}"),
    "heading.summary": _text("Summary", "摘要"),
    "heading.consumption": _text("Consumption", "用量"),
    "heading.load": _text("Load", "负荷"),
    "heading.weather": _text("Weather", "气象修正"),
    "heading.cost": _text("Cost", "费用"),
    "heading.losses": _text("Main meters and sub-meters", "总分表平衡"),
    "heading.night": _text("Night flow", "夜间流量"),
    "heading.wasters": _text("What waste has cost", "浪费与工单"),
    "heading.quality": _text("Data quality", "数据质量"),
    "heading.quality_of": _text("Data quality: {what}", "数据质量：{what}"),
    "heading.carbon": _text("Emissions", "排放"),
    # ── figures ──
    "electricity": _text("Electricity", "用电量"),
    "water": _text("Water", "用水量"),
    "per_day": _text("Mean per day", "日均"),
    "cost": _text("Cost", "费用"),
    "carbon": _text("Emissions", "碳排放"),
    "peak": _text("Peak demand (15 min)", "最大需量（15 分钟）"),
    "peak_at": _text("at {time}", "出现于 {time}"),
    "base": _text("Base load", "基础负荷"),
    "mean": _text("Mean power", "平均负荷"),
    "load_factor": _text("Load factor", "负荷率"),
    "off_hours": _text("Used off hours", "非工作时段占比"),
    "heating_days": _text("Heating degree days", "采暖度日数"),
    "cooling_days": _text("Cooling degree days", "空调度日数"),
    "per_heating": _text("Per heating degree day", "每采暖度日用量"),
    "per_cooling": _text("Per cooling degree day", "每空调度日用量"),
    "normalised": _text("In the weather of {period}", "按 {period} 气象修正后"),
    "night_flow": _text("Minimum night flow", "夜间最小流量"),
    "scope2": _text("Scope 2: electricity, location-based", "范围二：外购电力（基于位置）"),
    "scope3": _text("Scope 3: water supply and treatment", "范围三：供水与污水处理"),
    "lost": _text("Lost or not metered", "损耗或未计量"),
    # ── heads of tables ──
    "place": _text("Place", "地点"),
    "building": _text("Building", "楼栋"),
    "category": _text("Category", "分项"),
    "meter": _text("Meter", "表计"),
    "share": _text("Share", "占比"),
    "before": _text("Period before", "上期"),
    "year_before": _text("Year before", "去年同期"),
    "change": _text("Change", "变化"),
    "budget": _text("Budget", "预算"),
    "known": _text("Known", "已知时间"),
    "estimated": _text("Estimated", "估算占比"),
    "faults": _text("Register", "读数异常"),
    "missing": _text("Not known", "缺数表计"),
    "subs": _text("Sub-meters", "分表合计"),
    "main": _text("Main meter", "总表"),
    "band": _text("Band", "时段"),
    "price": _text("Mean price", "平均单价"),
    "ticket": _text("Ticket", "工单"),
    "what": _text("What", "内容"),
    "state": _text("State", "状态"),
    "expected": _text("Expected", "应收"),
    "stored": _text("Stored", "已存"),
    "late": _text("Late", "迟到"),
    "quarantined": _text("Quarantined", "隔离"),
    "unexplained": _text("Unexplained", "去向不明"),
    "nights": _text("Nights", "夜数"),
    "median": _text("Median", "中位数"),
    "lowest": _text("Lowest", "最低"),
    "highest": _text("Highest", "最高"),
    "all_day": _text("If all day", "折算全期"),
    "source": _text("Source of emissions", "排放源"),
    "used": _text("Used", "用量"),
    # ── titles of tables and charts ──
    "table.buildings": _text("By building", "按楼栋"),
    "table.floors": _text("By floor", "按楼层"),
    "table.areas": _text("By area", "按区域"),
    "table.categories": _text("By category", "按分项"),
    "table.matrix": _text("By building and category", "按楼栋与分项"),
    "table.budgets": _text("Budgets", "预算执行"),
    "table.bands": _text("By band", "按时段"),
    "table.losses": _text("Main meters against their sub-meters", "总表与分表对比"),
    "table.night": _text("Minimum night flow by meter", "各表夜间最小流量"),
    "table.wasters": _text("The dearest tickets", "费用最高的工单"),
    "table.quality": _text("Meters that are not known well", "数据不完整的表计"),
    "table.sources": _text("By source", "按排放源"),
    "chart.days": _text("Consumption by day", "逐日用量"),
    "chart.months": _text("Consumption by month", "逐月用量"),
    "chart.usual": _text("Usual day", "典型日负荷曲线"),
    "chart.heat": _text("Mean power by hour and day of the week", "逐时逐星期平均负荷"),
    "chart.cost_days": _text("Cost by day", "逐日费用"),
    "chart.cost_months": _text("Cost by month", "逐月费用"),
    "chart.carbon_days": _text("Emissions by day", "逐日排放"),
    "chart.carbon_months": _text("Emissions by month", "逐月排放"),
    "chart.night": _text("Water by hour and day of the week", "逐时逐星期平均流量"),
    "series.working": _text("Working day", "工作日"),
    "series.free": _text("Day off", "休息日"),
    "series.all": _text("All days", "所有日"),
    # ── parts of tables ──
    "total": _text("Total", "合计"),
    "rest": _text("{place}: beyond sub-meters", "{place}：分表以外"),
    "site": _text("Site", "全站"),
    "all": _text("All", "全部"),
    "no_category": _text("Not assigned, and losses", "未分项及损耗"),
    "own_price": _text("Other hours", "其余时段"),
    "unpriced": _text("Price not known", "单价未知"),
    "nobody_knows": _text("not known", "未知"),
    "weekday.0": _text("Mon", "周一"),
    "weekday.1": _text("Tue", "周二"),
    "weekday.2": _text("Wed", "周三"),
    "weekday.3": _text("Thu", "周四"),
    "weekday.4": _text("Fri", "周五"),
    "weekday.5": _text("Sat", "周六"),
    "weekday.6": _text("Sun", "周日"),
    # ── what a register did ──
    "fault.gap": _text("{count} gaps", "缺口 {count} 次"),
    "fault.slip": _text("{count} slips", "回摆 {count} 次"),
    "fault.rollover": _text("{count} rollovers", "翻转 {count} 次"),
    "fault.reset": _text("{count} resets", "清零 {count} 次"),
    "fault.backwards": _text("{count} times backwards", "倒走 {count} 次"),
    "fault.jump": _text("{count} jumps", "跳变 {count} 次"),
    "fault.return": _text("{count} returns", "回归 {count} 次"),
    "fault.replacement": _text("{count} replacements", "换表 {count} 次"),
    "fault.spike": _text("{count} spikes", "尖刺 {count} 次"),
    "fault.duplicate": _text("{count} duplicates", "重复 {count} 次"),
    "fault.reordered": _text("{count} reordered", "乱序 {count} 次"),
    "fault.late": _text("{count} late", "迟到 {count} 次"),
    "fault.unconfirmed": _text("{count} unconfirmed", "未确认 {count} 次"),
    # ── sentences ──
    "say.total": _text("{site} used {amount} {unit} in {period}.", "{period}，{site}共用 {amount} {unit}。"),
    "say.at_least": _text(
        "{site} used at least {amount} {unit} in {period}: {known} of the time is known.",
        "{period}，{site}至少用 {amount} {unit}：已知时间占 {known}。",
    ),
    "say.nothing": _text("Nothing is known of {period}.", "{period} 无任何数据。"),
    "say.change": _text("That is {changes}.", "{changes}。"),
    "say.more": _text("{percent} more than in {period}", "比{period}多 {percent}"),
    "say.less": _text("{percent} less than in {period}", "比{period}少 {percent}"),
    "say.over_budget": _text(
        "The budget of {budget} {unit} is exceeded by {percent}.", "超出预算 {budget} {unit} 的 {percent}。"
    ),
    "say.within_budget": _text(
        "{percent} of the budget of {budget} {unit} is used.", "已用预算 {budget} {unit} 的 {percent}。"
    ),
    "say.cost": _text("It cost {money} {currency}.", "费用 {money} {currency}。"),
    "say.carbon": _text("It emitted {carbon} kgCO2e.", "排放 {carbon} kgCO2e。"),
    "say.carbon_total": _text(
        "{site} emitted {carbon} kgCO2e in {period}, as far as factors are known.",
        "{period}，{site}共排放 {carbon} kgCO2e（以已有排放因子计）。",
    ),
    "say.off_hours": _text(
        '{percent} of the consumption was off hours, by the calendar "{calendar}".',
        "用量的 {percent} 发生在非工作时段（日历“{calendar}”以外）。",
    ),
    "say.no_losses": _text(
        "No feeds are listed in places.yaml, so nothing can be set against each other.",
        "places.yaml 未列上下级计量关系，无法作总分表对比。",
    ),
    "say.no_wasters": _text("No ticket of this period tells of waste.", "本期无浪费类工单。"),
    "say.no_desk": _text("There is no desk whose tickets could be told.", "无服务台数据。"),
    "say.no_prices": _text(
        "No price is known of this period; tariffs.yaml has none.", "tariffs.yaml 无本期单价，费用未知。"
    ),
    "say.all_known": _text("All meters are known for the whole period.", "全部表计数据完整。"),
    "say.no_weather": _text(
        "reports.yaml names no outdoor sensor, so nothing is adjusted to weather.",
        "reports.yaml 未指定室外温度传感器，未作气象修正。",
    ),
    "say.few_temperatures": _text(
        "The temperature of {known} of the days is known, which is too little for degree days.",
        "仅 {known} 的日子有气温数据，不足以计算度日数。",
    ),
    "say.normalised": _text(
        "With the degree days of {period} it would have been {amount} kWh, which is {percent} against the"
        " {year_before} kWh used then.",
        "按 {period} 的度日数修正后为 {amount} kWh，与当时的 {year_before} kWh 相比 {percent}。",
    ),
    "say.bad_fit": _text(
        "Consumption is not adjusted: {days} days are known (20 are needed), and degree days and working days explain"
        " {r2} of what differs between them (75 % is needed).",
        "未作气象修正：有效天数 {days}（需 20 天），度日数与工作日只能解释日用量差异的 {r2}（需 75 %）。",
    ),
    "say.other_weather": _text(
        "Consumption is not adjusted: this period has no days like those of {period} to learn from.",
        "未作气象修正：本期没有与 {period} 相近的天气可供拟合。",
    ),
    "say.no_year_before": _text(
        "Consumption is not adjusted: the degree days of {period} are not known.",
        "未作气象修正：{period} 的度日数未知。",
    ),
    "say.fit": _text("Least squares over {days} days; R² = {r2}.", "对 {days} 天作最小二乘拟合，R² = {r2}。"),
    # ── notes ──
    "note.at_least": _text("at least: {known} of the time is known", "至少：已知时间占 {known}"),
    "note.priced": _text("price known for {share} of it", "其中 {share} 有单价"),
    "note.factored": _text("factor known for {share} of it", "其中 {share} 有排放因子"),
    "note.measured": _text("{share} of the quarter hours are measured", "{share} 的刻钟为实测"),
    "note.adds": _text("Parts add up to the total.", "各项之和等于合计。"),
    "note.budget": _text("Of a budget, each day has its even share.", "预算按天平均分摊。"),
    "note.more": _text("and {count} more", "另有 {count} 块"),
    "note.wasters": _text(
        "What flowed beyond the normal within the period, by the alerts' evidence.", "按告警证据，本期内超出正常部分。"
    ),
    "note.night": _text(
        "The least of a clock hour between {begin} and {end} of each night that is known.",
        "每夜 {begin}–{end} 各整点小时流量之最小值（仅计数据完整的夜）。",
    ),
    "note.smaller": _text(
        "Meters with less, at most {highest} m³/h: {count}.", "流量更小的表计：{count} 块，最高 {highest} m³/h。"
    ),
    "note.resting": _text(
        "Meters that stood still in some hour of every night: {count}.", "每夜均有整点小时无流量的表计：{count} 块。"
    ),
    "note.heated": _text("Heated below {base} °C.", "低于 {base} °C 采暖。"),
    "note.cooled": _text("Cooled above {base} °C.", "高于 {base} °C 制冷。"),
    # ── remarks ──
    "remark.not_over": _text(
        "The period is not over: figures are up to {time}, and are compared with nothing.",
        "本期尚未结束：数据截至 {time}，不作对比。",
    ),
    "remark.gaps": _text(
        "Not known all the time: {meters}. Totals that they belong to are at least what is said.",
        "数据不完整：{meters}。相关合计为下限值。",
    ),
    "remark.stand_in": _text(
        "Where a main meter is not known, what its sub-meters show is counted in its place.",
        "总表缺数时以分表之和代替。",
    ),
    "remark.compare": _text(
        "Periods are compared where {enough} of the time is known of both. Known: {periods}.",
        "双方已知时间均达 {enough} 方作对比；已知时间：{periods}。",
    ),
    "remark.registers": _text(
        "Consumption comes from the meters' registers: rollovers, resets and replacements are taken into account, and"
        " what flowed in a gap is spread evenly over it.",
        "用量由表计累计读数求得，已计入翻转、清零与换表；缺口内的用量均摊。",
    ),
    "remark.scope": _text(
        "A meter counts for the smallest place that holds it and all that it feeds; what a main meter shows beyond its"
        " sub-meters is its own.",
        "表计归属于包含其自身及全部下级的最小地点；总表超出分表的部分归总表自身。",
    ),
    "remark.load": _text(
        "Demand is the mean of a quarter of an hour that was measured. Base load is the median over days of the least"
        " mean of a clock hour. Load factor is mean over peak.",
        "需量为实测刻钟平均功率；基础负荷为各日最小小时平均功率的中位数；负荷率为平均与最大之比。",
    ),
    "remark.off_hours": _text(
        'Off hours are those outside the calendar "{calendar}".', "非工作时段指日历“{calendar}”以外的时段。"
    ),
    "remark.no_calendar": _text(
        "reports.yaml names no working_hours, so off hours are not told.",
        "reports.yaml 未指定 working_hours，未计非工作时段。",
    ),
    "remark.tariff": _text(
        "Costs are at the prices of tariffs.yaml valid at each hour; demand charges and fixed charges are not in them.",
        "费用按 tariffs.yaml 各时刻有效单价计算，不含基本电费等固定费用。",
    ),
    "remark.factor": _text(
        "Emission factor from {first} on: {factor} ({source}).", "自 {first} 起的排放因子：{factor}（{source}）。"
    ),
    "remark.no_source": _text("no source given", "未注明来源"),
    "remark.ghg": _text(
        "After the GHG Protocol: bought electricity is scope 2, location-based; supply and treatment of water are"
        " scope 3, category 1. Other emissions are not metered here.",
        "依据《温室气体核算体系》：外购电力属范围二（基于位置），供水与污水处理属范围三类别 1。"
        "其他排放不在计量范围内。",
    ),
    "remark.degree_days": _text(
        "Degree days: of each day whose mean is below {heating} °C or above {cooling} °C, the difference. Adjusted"
        " consumption: by least squares over the days of the period, with working days as a second cause and the"
        " balance points that explain most (IPMVP option C; an adjusted R² of 0.75 and 20 days are needed).",
        "度日数：日均温低于 {heating} °C 或高于 {cooling} °C 之差的累计。修正方法：以本期各日对度日数及工作日作最小二乘"
        "回归，平衡点温度取解释度最高者（IPMVP 选项 C；要求调整后 R² ≥ 0.75 且不少于 20 天）。",
    ),
    "remark.ledger": _text(
        "By the loss ledger, of {expected} readings expected {stored} are stored, {unexplained} are unexplained.",
        "据损耗账：应收 {expected} 条，已存 {stored} 条，去向不明 {unexplained} 条。",
    ),
    "remark.ledger_from": _text("The ledger reaches back to {time}.", "损耗账始于 {time}。"),
    "remark.no_ledger": _text("There is no loss ledger of this period.", "本期无损耗账。"),
}
"""All of it; what is in braces is given by who asks."""
