"""The sliding window of calls: no more than so many in a minute, and a wait that is worth it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.api.rates import SlidingWindow


class Clock:
    time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_in_one_minute_no_name_has_more_calls_than_it_may() -> None:
    clock = Clock()
    window = SlidingWindow(10, clock)
    clock.time = 1020.0  # the minute begins
    assert [window.hit("a", 1) for _ in range(12)].count(0) == 10
    assert window.hit("b", 1) == 0
    assert window.full("a")
    assert not window.full("b")
    clock.time += 59.0
    assert window.hit("a", 1)


def test_calls_of_the_minute_before_weigh_less_and_less_and_are_forgotten_in_the_end() -> None:
    clock = Clock()
    clock.time = 1020.0
    window = SlidingWindow(10, clock)
    window.hit("a", 10)
    clock.time += 90.0  # half of the next minute is gone
    assert [window.hit("a", 1) for _ in range(7)].count(0) == 5
    clock.time += 150.0
    assert window.hit("a", 10) == 0


def test_a_request_larger_than_the_bound_takes_a_whole_minute_and_is_not_refused_for_ever() -> None:
    window = SlidingWindow(10, Clock())
    assert window.hit("a", 256) == 0
    assert window.hit("a", 0) == 0  # a batch of one was counted with the call itself
    assert window.hit("a", 1)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 12)), max_size=30))
def test_whoever_waits_as_told_gets_in_and_a_second_less_would_not_do(calls: list[tuple[float, int]]) -> None:
    clock = Clock()
    window = SlidingWindow(10, clock)
    for pause, cost in calls:
        clock.time += pause
        wait = window.hit("a", cost)
        if wait:
            assert wait <= 120
            early = clock.time + wait - 1.001
            if wait > 1:
                clock.time = early
                assert window.hit("a", cost)
            clock.time = early + 1.002
            assert window.hit("a", cost) == 0


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_that_jumps_locks_nobody_out(jump: float) -> None:
    clock = Clock()
    window = SlidingWindow(10, clock)
    window.hit("a", 10)
    clock.time += jump
    assert window.hit("a", 10) == 0
