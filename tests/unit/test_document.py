"""The alignment between a text as sent and the masked text, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.document import read
from model.ticket import Ticket

PIECES = st.sampled_from(
    [
        "停*电",
        "电费",
        "張偉先生",
        "13812345678",
        "\u200b",
        "ＡＢ",
        "tingdian",
        "我叫张伟,",
        "表箱冒烟",
        "\n",
        "户号0012345678",
        "。",
        "亻亭电",
    ]
)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("我叫张伟,电话13812345678,停电三小时了没人管", "没人管"),
        ("停\u200b电三小时", "停电"),
        ("全角１２３度停電", "停电"),
    ],
)
def test_a_span_of_the_masked_text_is_found_again_from_the_text_as_sent(sent: str, words: str) -> None:
    document = read(Ticket(sent))
    start = document.text.index(words)
    span = document.sent_span(start, start + len(words))
    assert span is not None
    assert document.masked_span(*span) == (start, start + len(words))


@given(st.lists(PIECES, min_size=1, max_size=12).map("".join).filter(str.strip))
def test_there_and_back_covers_what_it_came_from(sent: str) -> None:
    document = read(Ticket(sent))
    for start in range(len(document.text)):
        span = document.sent_span(start, start + 1)
        if span:
            first, last = document.masked_span(*span)
            assert first <= start < last


def test_a_clipped_text_keeps_its_way_back() -> None:
    sent = "甲" * 300 + "停电没人管"
    document = read(Ticket(sent), max_characters=100, head_characters=60)
    start = document.text.index("停电")
    assert document.masked_span(300, 302) == (start, start + 2)
