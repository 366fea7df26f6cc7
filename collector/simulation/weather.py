"""The weather over the campus: a temperate year, warm and cold spells, day and night, clouds."""

from functools import lru_cache
from math import cos, pi, sin

from collector.simulation.chance import Chance
from collector.simulation.rhythm import Rhythm

MEAN_C = 16.5
SEASON_C = 11.5
"""Half the difference between the warmest and the coldest weeks."""
DAY_C = 4.0
"""Half the difference between afternoon and early morning."""
SPELL_C = 2.5
"""Standard deviation of warm and cold spells."""


class Weather:
    """Temperature and light, by time alone."""

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
        return MEAN_C + SEASON_C * season + SPELL_C * spell + DAY_C * cos(2 * pi * (moment.hour - 15) / 24)

    def _daylight(self, time: int) -> float:
        """Light that windows let in, 0 (night) to 1 (clear noon)."""
        moment = self._rhythm.moment(time)
        half_day = 6 - cos(2 * pi * (moment.day.timetuple().tm_yday + 10) / 365.25)
        height = sin(pi * (moment.hour - 12 + half_day) / (2 * half_day)) if abs(moment.hour - 12) < half_day else 0.0
        clouds = self._chance.share("clouds", moment.day.toordinal())
        return height * (1 - 0.7 * clouds)
