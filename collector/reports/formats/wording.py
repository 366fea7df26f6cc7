"""What formats say beside the report itself, in both languages. `collector/reports/wording.py` takes it in."""

from collections.abc import Mapping

from devices.register import Text

FORMAT_WORDS: Mapping[str, Text] = {
    "format.days": Text(en="{first} to {last}", zh="{first} 至 {last}"),
    "format.made": Text(en="made {time}", zh="生成于 {time}"),
    "format.contents": Text(en="Contents", zh="目录"),
    "format.remarks": Text(en="How to read this report", zh="编制说明"),
    "format.figures": Text(en="Figures", zh="指标"),
    "format.figure": Text(en="Figure", zh="指标"),
    "format.value": Text(en="Value", zh="数值"),
    "format.unit": Text(en="Unit", zh="单位"),
    "format.note": Text(en="Note", zh="备注"),
    "format.numbers": Text(en="The numbers of this chart", zh="图中数据"),
    "format.limit": Text(en="Limit", zh="限值"),
    "format.worse": Text(en="worse", zh="变差"),
    "format.better": Text(en="better", zh="变好"),
    "format.same": Text(en="unchanged", zh="持平"),
    "format.percent_or_points": Text(en="% or points", zh="% 或百分点"),
    "format.points": Text(en="points", zh="个百分点"),
    "format.against.before": Text(en="{change} against the period before ({then})", zh="较上期（{then}）{change}"),
    "format.against.year_before": Text(
        en="{change} against the year before ({then})", zh="较去年同期（{then}）{change}"
    ),
    "format.against.budget": Text(en="{change} against the budget ({then})", zh="较预算（{then}）{change}"),
    "format.beside.before": Text(en="period before: {then}", zh="上期：{then}"),
    "format.beside.year_before": Text(en="year before: {then}", zh="去年同期：{then}"),
    "format.beside.budget": Text(en="budget: {then}", zh="预算：{then}"),
    "format.attached": Text(en="The whole report is attached.", zh="完整报告见附件。"),
    "format.lies": Text(en="The whole report lies on the gateway: {file}", zh="完整报告存于网关：{file}"),
}
"""See `collector.reports.wording.Words`."""
