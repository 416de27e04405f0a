from datetime import datetime

import pytest

from model.errors import InvalidTicket
from model.ticket import CHINA, Ticket, parse_time, ticket_from


def test_a_bare_string_is_a_ticket() -> None:
    assert ticket_from("停电了").content == "停电了"


@pytest.mark.parametrize("key", ["content", "text", "受理内容", "诉求内容", "工单内容"])
def test_the_text_is_found_under_every_known_name(key: str) -> None:
    assert ticket_from({key: "停电了", "unknown": 1}).content == "停电了"


def test_a_blank_content_gives_way_to_a_filled_text() -> None:
    assert ticket_from({"content": " ", "text": "停电了"}).content == "停电了"


@pytest.mark.parametrize("value", ["", " \n", {"content": ""}, {"content": None}, {}, {"text": float("nan")}])
def test_no_text_is_empty_text(value: object) -> None:
    with pytest.raises(InvalidTicket) as caught:
        ticket_from(value)
    assert caught.value.code == "empty_text"


@pytest.mark.parametrize(
    "value", [["停电"], 5, None, {"content": ["停电"]}, {"content": "停电", "accepted_at": "昨天"}]
)
def test_what_cannot_be_a_ticket_is_a_bad_row(value: object) -> None:
    with pytest.raises(InvalidTicket) as caught:
        ticket_from(value)
    assert caught.value.code == "bad_row"


def test_a_transcript_alone_is_enough() -> None:
    ticket = ticket_from({"transcript": [{"speaker": "customer", "text": "没电了"}]})
    assert ticket.transcript[0].text == "没电了"


def test_a_transcript_with_an_unknown_speaker_is_a_bad_row() -> None:
    with pytest.raises(InvalidTicket, match="speaker"):
        ticket_from({"content": "x", "transcript": [{"speaker": "robot", "text": "y"}]})


def test_a_time_without_zone_is_chinese() -> None:
    assert parse_time("2026-11-23T08:30:00") == datetime(2026, 11, 23, 8, 30, tzinfo=CHINA)
    assert parse_time("2026-11-23T00:30:00Z") == datetime(2026, 11, 23, 8, 30, tzinfo=CHINA)


def test_an_org_may_be_a_name_or_an_object() -> None:
    assert ticket_from({"text": "x", "org": "城东供电所"}).org.station == "城东供电所"  # type: ignore[union-attr]
    assert ticket_from({"text": "x", "org": {"county": "某县", "urban": True}}).org.urban is True  # type: ignore[union-attr]


def test_lone_surrogates_become_replacement_characters() -> None:
    assert ticket_from("停\ud800电").content == "停�电"


def test_a_ticket_checks_itself() -> None:
    with pytest.raises(InvalidTicket):
        Ticket(content="  ")


@pytest.mark.parametrize(
    "text", ["2026/11/23 8:30", "2026-11-23 08:30", "2026年11月23日 8时30分", "2026.11.23 08:30:00"]
)
def test_the_forms_of_chinese_tables_are_read(text: str) -> None:
    assert parse_time(text) == datetime(2026, 11, 23, 8, 30, tzinfo=CHINA)
