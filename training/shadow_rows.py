"""Tickets of a shadow run from a file that people routed, and from a store where people reviewed each proposal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.decision import ready_for_auto
from model.document import Document, read
from model.errors import InvalidTicket
from model.pipeline import Pipeline
from model.policy import Policy
from model.prediction import Prediction
from model.privacy import mask
from model.rows import Row
from model.taxonomy import Taxonomy
from model.ticket import Ticket, ticket_from
from training.shadow_case import ShadowCase, Way, desk_of

CATEGORY_KEYS = ("category", "类别", "小类", "首派类别")
DESK_KEYS = ("desk", "班组", "派单班组", "首派班组")
FINAL_CATEGORY_KEYS = ("final_category", "最终类别", "改判类别")
FINAL_DESK_KEYS = ("final_desk", "最终班组", "改派班组")
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Decided:
    """A stored ticket: masked text, its prediction as stored (offsets into that text), and people's leaves, first to last."""

    id: str
    text: str
    body: Mapping[str, Any]
    leaves: tuple[tuple[str, tuple[str, ...]], ...]  # (category, secondary) of each review


def cases_from_rows(rows: Sequence[Row], pipeline: Pipeline) -> tuple[list[ShadowCase], list[str]]:
    """Tickets of a file with the category or desk that people gave them, predicted now.

    Args:
        rows: mappings; see the `…_KEYS` of this module for the columns. Leaves by code or by name.
        pipeline: predicts.

    Returns:
        The cases, and a line for each row that says neither category nor desk, or names one that does not exist.
    """
    good: list[tuple[Row, Ticket, tuple[Way, Way | None]]] = []
    problems: list[str] = []
    for row in rows:
        try:
            if row.error:
                raise row.error
            good.append((row, ticket_from(row.value), _ways(row.value, pipeline.policy)))
        except (ValueError, InvalidTicket) as error:
            problems.append(f"第 {row.number} 行:{error}")
    cases: list[ShadowCase] = []
    for start in range(0, len(good), _BATCH):
        part = good[start : start + _BATCH]
        predictions = pipeline.predict([ticket for _, ticket, _ in part])
        for (row, ticket, ways), prediction in zip(part, predictions, strict=True):
            cases.append(_predicted(ticket.ticket_id or str(row.number), ticket, ways, prediction, pipeline.policy))
    return cases, problems


def cases_from_store(decided: Sequence[Decided], policy: Policy) -> tuple[list[ShadowCase], int]:
    """Tickets of a store, with what was predicted when they arrived.

    Args:
        decided: tickets that a person reviewed at least once.
        policy: in force; former leaves are read as what became of them.

    Returns:
        The cases, and how many were left out since one of their leaves was split since.
    """
    cases = [_stored(one, policy) for one in decided]
    kept = [case for case in cases if case is not None]
    return kept, len(cases) - len(kept)


def _stored(one: Decided, policy: Policy) -> ShadowCase | None:
    body, taxonomy = one.body, policy.taxonomy
    given = [*one.leaves, (body["category"]["code"], tuple(body["secondary"]))]
    codes = [(taxonomy.today(leaf), [taxonomy.today(code) for code in also]) for leaf, also in given]
    if any(len(leaf) != 1 for leaf, _ in codes):
        return None
    *people, ours = [_way(leaf[0], [code[0] for code in also if code], policy) for leaf, also in codes]
    return ShadowCase(
        id=one.id,
        text=one.text,
        first=people[0],
        final=people[-1] if len(people) > 1 else None,
        ours=ours,
        confidence=body["category"]["confidence"],
        ready=ready_for_auto(body["decision"], body["reasons"]),
        reasons=tuple(body["reasons"]),
        evidence=tuple((item["start"], item["end"]) for item in body["evidence"]),
        bundle=body["versions"]["bundle"],
    )


def _predicted(
    name: str, ticket: Ticket, ways: tuple[Way, Way | None], prediction: Prediction, policy: Policy
) -> ShadowCase:
    decision = policy.decision
    document = read(ticket, decision.max_characters, decision.head_characters)
    return ShadowCase(
        id=name,
        text=document.text,
        first=ways[0],
        final=ways[1],
        ours=_way(prediction.category.code, prediction.secondary, policy),
        confidence=prediction.category.confidence,
        ready=ready_for_auto(prediction.decision, prediction.reasons),
        reasons=prediction.reasons,
        evidence=_spans(prediction, document),
        bundle=prediction.versions.bundle,
    )


def _spans(prediction: Prediction, document: Document) -> tuple[tuple[int, int], ...]:
    spans = (document.masked_span(item.start, item.end) for item in prediction.evidence)
    return tuple(span for span in spans if span[0] < span[1])


def _ways(value: Mapping[str, Any], policy: Policy) -> tuple[Way, Way | None]:
    """What people decided at first, and at last where they decided again."""
    if not isinstance(value, Mapping):
        raise ValueError("只有正文,没有人工的类别或班组;请用带 category 或 desk 列的表格")
    leaf = _leaf(_cell(value, CATEGORY_KEYS), policy.taxonomy)
    desk = _desk(_cell(value, DESK_KEYS), policy)
    if not leaf and not desk:
        raise ValueError(
            f"没有人工的类别或班组;请给出列 {CATEGORY_KEYS[0]}({CATEGORY_KEYS[1]})或 {DESK_KEYS[0]}({DESK_KEYS[1]})"
        )
    first = Way(leaf, desk or desk_of(leaf or "", (), policy))
    last_leaf = _leaf(_cell(value, FINAL_CATEGORY_KEYS), policy.taxonomy)
    last_desk = _desk(_cell(value, FINAL_DESK_KEYS), policy)
    if not last_leaf and not last_desk:
        return first, None
    same = last_leaf is None and last_desk == first.desk
    return first, Way(first.leaf if same else last_leaf, last_desk or desk_of(last_leaf or "", (), policy))


def _way(leaf: str, secondary: Sequence[str], policy: Policy) -> Way:
    return Way(leaf, desk_of(leaf, secondary, policy))


def _cell(value: Mapping[str, Any], keys: Sequence[str]) -> str:
    found = next((value[key] for key in keys if value.get(key) is not None), None)
    return "" if found is None or found != found else str(found).strip()


def _leaf(word: str, taxonomy: Taxonomy) -> str | None:
    """Today's code of a leaf given by code or by name."""
    if not word or word.lower() == "none":
        return None
    by_name = {leaf.name: leaf.code for leaf in taxonomy}
    became = taxonomy.today(by_name.get(word, word))
    if len(became) > 1:
        raise ValueError(f"{taxonomy.tell_split(word)};请改成其中之一")
    if not became:
        raise ValueError(f"类别 {_shown(word)} 不存在;可用:{'、'.join(f'{x.code}({x.name})' for x in taxonomy)}")
    return became[0]


def _desk(word: str, policy: Policy) -> str | None:
    if word and word not in policy.routing.desks:
        raise ValueError(
            f"班组「{_shown(word)}」不在 routing.yaml 的 desks 名单中;请改成名单中的名称:{'、'.join(policy.routing.desks)}"
        )
    return word or None


def _shown(word: str) -> str:
    """A wrong cell, masked and short: it may be another column's."""
    return mask(word).text[:24]
