"""The weather over the campus: a temperate year, warm and cold spells, damp and dry days, day and night, clouds."""

from functools import lru_cache
from math import cos, exp, pi, sin

from collector.simulation.chance import Chance
from collector.simulation.rhythm import Rhythm

MEAN_C = 16.5
SEASON_C = 11.5
"""Half the difference between the warmest and the coldest weeks."""
DAY_C = 4.0
"""Half the difference between afternoon and early morning."""
SPELL_C = 2.5
"""Standard deviation of warm and cold spells."""
DRYNESS_C = 1, 7
"""How far the dew point lies below the night's temperature, on damp and on dry days."""


class Weather:
    """Temperature, humidity and light, by time alone."""

    def __init__(self, rhythm: Rhythm, chance: Chance) -> None:
        self._rhythm = rhythm
        self._chance = chance
        self.temperature_c = lru_cache(maxsize=8192)(self._temperature_c)
        self.daylight = lru_cache(maxsize=8192)(self._daylight)

    def _temperature_c(self, time: int) -> float:
        """Temperature of the air outside."""
        moment = self._rhythm.moment(time)
        day, past = moment.day.toordinal(), moment.hour / 24
        season = -cos(2 * pi * (moment.day.timetuple().tm_yday - 25) / 365.25)
        spell = (1 - past) * self._chance.normal("spell", day) + past * self._chance.normal("spell", day + 1)
        return MEAN_C + SEASON_C * season + SPELL_C * spell + _swing(moment.hour)

    def humidity_percent(self, time: int) -> float:
        """Relative humidity of the air outside: its water stays, so that it is highest before sunrise."""
        moment = self._rhythm.moment(time)
        day, past = moment.day.toordinal(), moment.hour / 24
        today, tomorrow = (self._chance.between(*DRYNESS_C, "dryness", each) for each in (day, day + 1))
        temperature = self.temperature_c(time)
        night = temperature - _swing(moment.hour) - DAY_C
        return 100 * exp(_measure_vapour(night - (1 - past) * today - past * tomorrow) - _measure_vapour(temperature))

    def _daylight(self, time: int) -> float:
        """Light that windows let in, 0 (night) to 1 (clear noon)."""
        moment = self._rhythm.moment(time)
        half_day = 6 - cos(2 * pi * (moment.day.timetuple().tm_yday + 10) / 365.25)
        height = sin(pi * (moment.hour - 12 + half_day) / (2 * half_day)) if abs(moment.hour - 12) < half_day else 0.0
        clouds = self._chance.share("clouds", moment.day.toordinal())
        return height * (1 - 0.7 * clouds)


def _swing(hour: float) -> float:
    """How much warmer an hour is than its day."""
    return DAY_C * cos(2 * pi * (hour - 15) / 24)


def _measure_vapour(temperature_c: float) -> float:
    """Logarithm of the pressure of saturated vapour against that at 0 °C (Magnus, WMO-No. 8)."""
    return 17.62 * temperature_c / (243.12 + temperature_c)
