"""Cost words: what waiting has cost, as people read it."""

from collections.abc import Iterator

from devices.register import Text
from tickets.costs import Cost
from tickets.tariffs import CARBON
from tickets.titles import Language, write_value

_UNPRICED = Text(en="{hours} h without a price", zh="{hours} 小时无电价或水价")
_UNFACTORED = Text(en="{hours} h without an emission factor", zh="{hours} 小时无排放因子")
_UNKNOWN = Text(en="nobody knows how much at {devices}", zh="{devices} 的损失量未知")


def sum_up_cost(cost: Cost, language: Language) -> str:
    """In a few characters: the money, without prices what flowed, or `?`."""
    amounts = list(_write_amounts(cost, language))
    if cost.money:
        return _write_money(cost)
    return " ".join(amounts) or ("?" if cost.unknown else "")


def tell_cost(cost: Cost, language: Language) -> str:
    """All of it, in one line."""
    parts = list(_write_amounts(cost, language))
    if cost.currency and parts:
        parts.append(_write_money(cost))
    if cost.carbon_kg:
        parts.append(write_value(cost.carbon_kg, CARBON, language))
    if cost.unpriced_h and cost.currency:
        parts.append(_UNPRICED.pick(language).format(hours=f"{cost.unpriced_h:.1f}"))
    if cost.unfactored_h and cost.carbon_kg:
        parts.append(_UNFACTORED.pick(language).format(hours=f"{cost.unfactored_h:.1f}"))
    if cost.unknown:
        parts.append(_UNKNOWN.pick(language).format(devices=", ".join(cost.unknown)))
    return ("；" if language == "zh" else "; ").join(parts)


def _write_amounts(cost: Cost, language: Language) -> Iterator[str]:
    if cost.energy_kwh:
        yield write_value(cost.energy_kwh, "kWh", language)
    if cost.water_m3:
        yield write_value(cost.water_m3, "m³", language)


def _write_money(cost: Cost) -> str:
    return f"{cost.money:,.2f} {cost.currency}"
