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
        ("❶❸⑧ ＫＷһ", "138 KWh"),
        ("变圧器, 客戸", "变压器, 客户"),
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


DISGUISES = st.text(alphabet="停电店费废用亻亭弗贝己经⚡🔌 .*/,，、tingdianfe12@\u200b⟦⟧", max_size=40)


@given(DISGUISES)
def test_taking_a_disguise_off_twice_changes_nothing(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once


@given(DISGUISES)
def test_every_character_of_an_undisguised_text_knows_where_it_came_from(text: str) -> None:
    aligned = normalise(text)
    spans = [aligned.span(position, position + 1) for position in range(len(aligned.text))]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)


@pytest.mark.parametrize(
    ("sent", "wording", "source"),
    [
        ("我家停*电 了", "停电", "停*电"),
        ("我家tingdian了", "停电", "tingdian"),
        ("问问弗贝用,电弗贝多了", "电费", "电弗贝"),
        ("又亻亭电了", "停电", "亻亭电"),
        ("我家停店三天", "停电", "停店"),
        ("这⚡费太贵", "电费", "⚡费"),
        ("总停\u200b店三天", "停电", "停\u200b店"),
    ],
)
def test_an_undisguised_word_leads_to_all_of_its_disguise(sent: str, wording: str, source: str) -> None:
    aligned = normalise(sent)
    start = aligned.text.index(wording)
    assert sent[slice(*aligned.span(start, start + len(wording)))] == source


def test_chained_alignments_keep_what_a_character_came_from() -> None:
    first = Aligned("停电", (0, 0), (8, 8))
    assert first.then(Aligned("电", (1,))).span(0, 1) == (0, 8)
    assert Aligned("a停", (1, 2)).then(Aligned("停", (1,), (2,))).span(0, 1) == (2, 3)


def test_a_hostile_text_is_read_in_linear_time() -> None:
    import time

    began = time.perf_counter()
    for piece in ("停 ", "店费", "td ", "亻亭", "a", "a ", "，停", "停⚡", "停*店*", "己经末", "号a"):
        normalise(piece * 10_000 + "@")
    assert time.perf_counter() - began < 5


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
