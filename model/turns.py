"""Who says what: relay headers, and the turns of a call transcript."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from model.lookalikes import trade_words

CUSTOMER, AGENT, NOTE, HEADER = "customer", "agent", "note", "header"

_SPEAKER = re.compile(
    r"(?:^|(?<=[\n。?!;\]】]))[ \t]*(?P<who>客服代表|客服专员|客服|坐席员|坐席|座席|话务员|工作人员|客户|用户|来电人|市民)\d{0,2} ?:"
)
_AGENTS = ("客服", "坐席", "座席", "话务", "工作人员")
_BODY = re.compile(
    r"(?:诉求内容|反映内容|反映事项|来电内容|信件内容|主要内容|受理内容|问题描述|事项内容|诉求描述|诉求详情|工单内容|转办内容|留言内容|来信内容|内容|诉求|事由)[\]】 ]?[::][ ]?"
)
_HEADER_WORD = re.compile(
    r"12345|12398|12315|热线|信访|网格|转办|派发|派单|交办|督办|转派|来件|联动|信箱|政务|平台|工单|编号|流水|受理时间|承办|办理单|来电人|来源|登记"
)
_HEADER_FIELD = re.compile(r"^[【\[(]?(?:[^:,。?!\n]{1,12}):[^。?!\n]{0,40}[】\])]?$")
_FOOTER = re.compile(
    r"\n[【\[(]?(?:办理要求|处理时限|回复要求|办结时限|办理时限|答复时限|承办要求|承办单位|转办单位|办理期限)[】\]]?:"
    r"[^\n]{0,30}(?:工作日|日|天|小时|回复|办结|反馈|公司|局|所|中心|科|部|站)[^\n,]{0,12}\s*$"
)
_BRACKET = re.compile(r"\s*[【\[(〔][^】\])〕\n]{0,60}[】\])〕]")
# what a header never holds: a clause, a first person, something that happens
_TELLS = re.compile(r"[,。?!]|我|咱|俺|请尽|快来|停电|没电|冒烟|着火|起火|触电|漏电|打火|断线|垂|麻|了(?!解)")
_HEADER_REACH = 400
# three words or more with nothing said about them, beside a text that says something: they are not what it is about
_BARE_LIST = re.compile(
    r"(?:^|(?<=[。;!?\n]))[ ]*[\u3400-\u9fff]{2,8}(?:[ 、/|]+[\u3400-\u9fff]{2,8}){2,8}[ ]*(?=[。;!?\n]|$)"
)
_SAYS = re.compile("[我你您他她它们咱俺的了着是在就都也还又把被给让叫要想来去说问请谢这那哪啥什怎为吗呢吧啊没有已]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LEAST_SAID = 12


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the text and whose words it holds: customer, agent, note (third person), header."""

    start: int
    end: int
    speaker: str


def split_turns(text: str) -> tuple[Segment, ...]:
    """Cut a normalised text into header, turns and note.

    Args:
        text: normalised text.

    Returns:
        Segments in order; together with the speakers' labels they cover the text.
    """
    begin = _header_end(text)
    footer = _FOOTER.search(text, begin)
    end = footer.start() if footer else len(text)
    segments = [Segment(0, begin, HEADER)] if begin else []
    segments += _turns(text, begin, end)
    if footer:
        segments.append(Segment(end, len(text), HEADER))
    lists = _bare_lists(text)
    return tuple(piece for segment in segments for piece in _without(segment, lists)) if lists else tuple(segments)


def _bare_lists(text: str) -> list[tuple[int, int]]:
    """Sentences that only list words; none where little else is said, or nothing of the trade."""
    lists = [m.span() for m in _BARE_LIST.finditer(text) if not _SAYS.search(m[0])]
    if not lists:
        return []
    rest = "".join(text[a:b] for a, b in zip([0, *(b for _, b in lists)], [*(a for a, _ in lists), len(text)], strict=True))
    return lists if len(_HAN.findall(rest)) >= _LEAST_SAID and any(trade_words(rest)) else []


def _without(segment: Segment, lists: list[tuple[int, int]]) -> Iterator[Segment]:
    """A segment in pieces, with its bare lists set aside as if they were a header (rules of danger read those too)."""
    position = segment.start
    for start, end in lists:
        if segment.speaker != HEADER and position <= start and end <= segment.end:
            if position < start:
                yield Segment(position, start, segment.speaker)
            yield Segment(start, end, HEADER)
            position = end
    if position < segment.end or segment.start == segment.end:
        yield Segment(position, segment.end, segment.speaker)


def _turns(text: str, begin: int, end: int) -> list[Segment]:
    marks = list(_SPEAKER.finditer(text, begin, end))
    if not marks:
        return [Segment(begin, end, NOTE)]
    segments = [Segment(begin, marks[0].start(), NOTE)] if text[begin : marks[0].start()].strip() else []
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        who = AGENT if mark["who"].startswith(_AGENTS) else CUSTOMER
        segments.append(Segment(mark.end(), following.start() if following else end, who))
    return segments


def _header_end(text: str) -> int:
    """Where the relay header ends; 0 where there is none. A header never swallows the whole text."""
    head = text[:_HEADER_REACH]
    if not _HEADER_WORD.search(head[:120]):
        return 0
    end = max(_labelled_body(head), _leading_bracket(head), _leading_lines(text))
    return end if text[end:].strip() else 0


def _labelled_body(head: str) -> int:
    """End of a label such as 诉求内容: that stands behind fields, not behind sentences."""
    label = _BODY.search(head)
    before = head[: label.start()] if label else ""
    if not label or not _HEADER_WORD.search(before) or _TELLS.search(before):
        return 0
    return label.end()


def _leading_bracket(head: str) -> int:
    end = 0
    while found := _BRACKET.match(head, end):
        if not _HEADER_WORD.search(found.group()) or _TELLS.search(found.group()):
            break
        end = found.end()
    return end


def _leading_lines(text: str) -> int:
    end = 0
    for line in text[:_HEADER_REACH].splitlines(keepends=True)[:-1]:
        plain = line.strip()
        known = bool(_HEADER_WORD.search(text[: end + len(line)]))
        is_field = len(plain) <= 60 and known and bool(_HEADER_FIELD.match(plain))
        is_title = len(plain) <= 50 and bool(_HEADER_WORD.search(plain))
        if plain and (_TELLS.search(plain) or not (is_field or is_title)):
            break
        if _SPEAKER.match(plain) or _BODY.match(plain):
            break
        end += len(line)
    return end
