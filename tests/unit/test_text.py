import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.text import Aligned, clip, digit_view, normalise


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("ＡＢＣ１２３，停电！", "ABC123,停电!"),
        ("電費太貴,電錶不準", "电费太贵,电表不准"),
        ("停\u200b电\ufeff了", "停电了"),
        ("停\x00电", "停电"),
        ("a\ud800b", "a�b"),
        ("㎡", "㎡"),
        ("", ""),
    ],
)
def test_normalising_brings_texts_into_one_form(sent: str, expected: str) -> None:
    assert normalise(sent).text == expected


@given(st.text())
def test_every_character_knows_where_it_came_from(text: str) -> None:
    aligned = normalise(text)
    for position in range(len(aligned.text)):
        start, end = aligned.span(position, position + 1)
        assert 0 <= start < end <= len(text)


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once


def test_chained_alignments_lead_to_the_first_source() -> None:
    first = normalise("\u200b停电")
    second = Aligned("电", (1,))
    assert first.then(second).span(0, 1) == (2, 3)


@given(st.text(alphabet="零一二三四五六七八九幺两停电0123", max_size=30))
def test_the_digit_view_keeps_the_length(text: str) -> None:
    assert len(digit_view(text)) == len(text)


def test_spoken_digits_are_seen_as_digits() -> None:
    assert digit_view("幺三八零零") == "13800"


def test_a_long_text_keeps_its_head_and_tail() -> None:
    text = "头" * 15_000 + "中" * 1_000 + "尾" * 5_000
    clipped = clip(text, 20_000, 15_000)
    assert clipped.text == "头" * 15_000 + "\n" + "尾" * 5_000
    assert clipped.span(15_001, 15_002) == (16_000, 16_001)


def test_a_short_text_is_not_clipped() -> None:
    assert clip("停电", 20_000, 15_000) == Aligned("停电")
