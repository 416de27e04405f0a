from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from model.reasons import Reason
from model.rules import Hit
from training.neighbours import Neighbour
from triage.analysis.explanation import Explanation, Grounds
from triage.analysis.html import Layer, pieces

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>&\"'"
NAMES = {"billing.charge": "电费", "theft": "窃电或违约用电"}


class _Reader(HTMLParser):
    """Tags, attributes and text of a fragment."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader


def _explanation(text: str) -> Explanation:
    quiet = {"raised": False, "evidence": []}
    raised = {"probability": 0.9, "raised": True, "evidence": [{"start": 0, "end": 2, "text": text}]}
    row = {
        "row": 1, "category": {"code": "billing.charge", "name": "电费", "confidence": 0.61},
        "candidates": [{"code": "billing.charge", "name": text, "confidence": 0.61}],
        "flags": {"theft": raised}, "safety": quiet, "escalation": quiet, "route": {"desk": text}, "decision": "review",
        "reasons": ["low_confidence"], "answered_by": "linear", "versions": {"bundle": None, "rules": "1"},
    }  # fmt: skip
    hit = Hit("charge.topic", "billing.charge", 0, len(text), 1.0)
    near = Neighbour("t<1>", "billing.charge", 0.5, text)
    grounds = Grounds(
        text, (Reason(0, len(text), 0.5),), None, "", (hit,), {"charge.topic": text}, (text,), (near,), NAMES
    )
    return Explanation(row, grounds)


def test_nothing_of_a_ticket_becomes_markup_and_nothing_is_loaded() -> None:
    seen = _read(_explanation(HOSTILE)._repr_html_())
    assert not {"script", "img", "link", "iframe"} & set(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in ("src", "href")]
    assert seen.text.count(HOSTILE) >= 6
    assert "url(" not in seen.text
    assert "@import" not in seen.text


def test_a_ticket_that_cannot_be_read_says_why() -> None:
    error = Explanation({"row": 1, "error": {"code": "empty_text", "message": "没有正文<b>"}}, None)
    assert "没有正文<b>" in _read(error._repr_html_()).text
    assert error.why == ()
    assert len(error.words) == len(error.encoder) == len(error.rules) == len(error.similar) == 0


def test_colours_are_those_of_the_notebook_so_that_light_and_dark_letters_are_legible() -> None:
    html = _explanation("电费扣了两遍")._repr_html_()
    assert "var(--jp-ui-font-color1" in html
    marks = [value for name, value in _read(html).attributes if name == "style" and "background" in (value or "")]
    assert marks
    assert all("color: inherit" in str(style) for style in marks)


@given(
    st.text(min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(1, 10), st.floats(0.01, 9)), max_size=5),
)
def test_pieces_joined_are_the_text_and_no_colour_is_too_deep_to_read(
    text: str, spans: list[tuple[int, int, float]]
) -> None:
    reasons = [Reason(start, min(len(text), start + n), w) for start, n, w in spans if start < len(text)]
    found = pieces(text, Layer(reasons, 0.06, 0.15), Layer(reasons))
    assert "".join(piece for piece, *_ in found) == text
    assert all(0 <= depth <= 0.5 for _, depth, _ in found)
    assert any(depth == 0.5 for _, depth, _ in found) == bool(reasons)
