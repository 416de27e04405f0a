import pytest

from model.turns import AGENT, CUSTOMER, HEADER, NOTE, split_turns


def _parts(text: str) -> list[tuple[str, str]]:
    return [(s.speaker, text[s.start : s.end].strip()) for s in split_turns(text)]


def test_a_transcript_is_cut_into_turns() -> None:
    text = "客服代表:您好\n客户:停电了\n客服代表:请讲"
    assert _parts(text) == [(AGENT, "您好"), (CUSTOMER, "停电了"), (AGENT, "请讲")]


def test_a_note_is_one_piece() -> None:
    assert _parts("客户反映停电,要求尽快送电。") == [(NOTE, "客户反映停电,要求尽快送电。")]


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("【12345热线转办】编号:LD-0088\n诉求内容:家里停电两天了", "家里停电两天了"),
        ("12345政务热线工单 编号20260101\n反映事项:电表装反了", "电表装反了"),
        ("物业热线联动件(由12345派发) 编号LD-0088\n一楼住户反映停电", "一楼住户反映停电"),
        ("【12398转办】我家电压低", "我家电压低"),
        ("[网格上报][平台派单]线路垂下来了", "线路垂下来了"),
    ],
)
def test_a_relay_header_is_cut_off(text: str, body: str) -> None:
    assert [part for part in _parts(text) if part[0] != HEADER] == [(NOTE, body)]


def test_a_header_never_swallows_everything() -> None:
    assert _parts("【12345】") == [(NOTE, "【12345】")]


def test_calling_12345_in_the_story_is_no_header() -> None:
    assert _parts("我要打12345投诉你们,停电没人管。")[0][0] == NOTE


def test_segments_are_in_order_and_inside_the_text() -> None:
    text = "【12345转办】\n客户:停电\n客服代表:好"
    ends = [(s.start, s.end) for s in split_turns(text)]
    assert ends == sorted(ends)
    assert all(0 <= a <= b <= len(text) for a, b in ends)
