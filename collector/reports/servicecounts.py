"""Service counts: how the desk worked in a period, as a whole or one team's, category's or rule's part of it. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tickets.dispatch import Dispatch
from tickets.promises import Tally, count_verdicts, judge_resolution, judge_response
from tickets.review import Marks, Review, Speed, sum_up_ratings, sum_up_speed
from tickets.ticket import Ticket


@dataclass(frozen=True)
class ServiceCounts:
    """What became of tickets.

    Attributes:
        reviews: of the tickets that the period concerns.
        dispatch: knows the hours that count.
        start: of the period, UTC ns.
        end: of it, or now where that is earlier.
        now: when promises are judged, UTC ns.
    """

    reviews: Sequence[Review]
    dispatch: Dispatch
    start: int
    end: int
    now: int

    def pick(self, choose: Callable[[Ticket], bool]) -> "ServiceCounts":
        """The part of some tickets."""
        return ServiceCounts(
            [each for each in self.reviews if choose(each.ticket)], self.dispatch, self.start, self.end, self.now
        )

    def find_keys(self, name: str) -> list[str]:
        """The teams, categories or rules of tickets that were opened, done or left open; most tickets first."""
        counts: dict[str, int] = {}
        for review in {id(each): each for each in (*self.opened, *self.finished, *self.backlog)}.values():
            key: str = getattr(review.ticket, name)
            counts[key] = counts.get(key, 0) + 1
        return sorted(counts, key=lambda key: (-counts[key], key))

    @cached_property
    def opened(self) -> list[Review]:
        """Opened in the period."""
        return [each for each in self.reviews if self.start <= each.ticket.opened_at < self.end]

    @cached_property
    def finished(self) -> list[Review]:
        """Whose work was done in the period, and is still called so."""
        return [each for each in self.reviews if self.start <= (each.finished_at or 0) < self.end]

    @cached_property
    def backlog(self) -> list[Review]:
        """With work left to do at the end of the period."""
        return [each for each in self.reviews if each.is_undone_at(self.end)]

    @property
    def reopened(self) -> int:
        """How often a ticket was reopened in the period."""
        return sum(each.count_events("reopened", self.start, self.end) for each in self.reviews)

    @cached_property
    def responses(self) -> Speed:
        """From opening to the first answer, of those that were opened in the period."""
        return self._measure(Review.measure_response, self.opened)

    @cached_property
    def resolutions(self) -> Speed:
        """From opening to the end of the work, without waiting, of those whose work was done in the period."""
        return self._measure(Review.measure_resolution, self.finished)

    @cached_property
    def response_promises(self) -> Tally:
        """Of tickets that were opened in the period, as far as they are decided by now."""
        return count_verdicts(judge_response(each.ticket, self.now) for each in self.opened)

    @cached_property
    def resolution_promises(self) -> Tally:
        """Likewise."""
        return count_verdicts(judge_resolution(each.ticket, self.now) for each in self.opened)

    @cached_property
    def marks(self) -> Marks:
        """Of ratings that were given in the period."""
        given = (each.was_rated(self.start, self.end) for each in self.reviews)
        return sum_up_ratings([rating for rating in given if rating is not None])

    def _measure(self, find: Callable[..., int | None], reviews: Iterable[Review]) -> Speed:
        times = (find(each, self.dispatch.hours(each.ticket.hours)) for each in reviews)
        return sum_up_speed([time for time in times if time is not None])
