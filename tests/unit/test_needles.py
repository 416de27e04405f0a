import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.needles import needles, width
from model.policy import Policy


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("停电", {"停电"}),
        ("(?:停|断)电", {"停电", "断电"}),
        ("[停断]电了?", {"停电", "断电", "停电了", "断电了"}),
        ("停[^,]{0,9}来电", {"来电"}),
        ("(?<!不)麻(?:手|人)", {"麻手", "麻人"}),
        (r"\d+", set()),
        ("a*", set()),
        ("(?:停电|.*)", set()),
        (r"(?:第\d+次|又打)电话", {"电话"}),
    ],
)
def test_the_strings_that_a_match_must_hold(pattern: str, expected: set[str]) -> None:
    assert needles(pattern) == expected


@given(st.text(alphabet="停断电来了麻手不,3", max_size=30))
def test_no_match_is_without_its_needle(text: str) -> None:
    for pattern in ("[停断]电(?:了|来)?", "停[^,]{0,5}来", "(?<!不)麻(?:手|[^,]{1,3}了)", "(?:电{1,2}|来[^电]手)了"):
        for match in re.finditer(pattern, text):
            assert any(needle in match[0] for needle in needles(pattern))
            assert len(match[0]) <= width(pattern)


def test_every_expression_of_the_rules_has_needles(policy: Policy) -> None:
    assert [rule.id for rule in policy.rules if rule.regex and not needles(rule.regex)] == []
