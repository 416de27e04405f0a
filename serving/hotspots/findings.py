"""What the figures say: totals, hotspots with causes and measures, and the sentences that belong under them."""

from collections.abc import Sequence
from datetime import timedelta

import pandas as pd

from model.policy import Policy
from model.taxonomy import FLAGS
from serving.hotspots.analysis import Count, Hotspot, Incident, Period, Phrase, Rising, Totals
from serving.hotspots.options import By, Options
from serving.hotspots.periods import begin, midnight, starts_before

_PHRASES_SHOWN = 5
_BY = {"week": "周", "month": "月"}


def with_groups(daily: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Daily counts with the group of each leaf.

    Args:
        daily: as `serving.hotspots.daily` gives it.
        policy: knows the groups.

    Returns:
        A copy with a column `group`; of a leaf that the taxonomy no longer has, the part before the dot.
    """
    groups = {leaf.code: leaf.group for leaf in policy.taxonomy}
    return daily.assign(group=[groups.get(code, str(code).split(".")[0]) for code in daily["leaf"]])


def totals(tickets: pd.DataFrame, whole: Count, incidents: Sequence[Incident]) -> Totals:
    """The whole time at a glance.

    Args:
        tickets: of the time.
        whole: the row of all of them.
        incidents: among them.

    Returns:
        The totals.
    """
    return Totals(
        all=whole,
        matters=len(tickets) - sum(len(one.ticket_ids) - 1 for one in incidents),
        safety=int(tickets["safety"].sum()),
        escalation=int(tickets["escalation"].sum()),
        review=int(tickets["decision"].isin(("review", "fallback")).sum()),
        without_unit=int(tickets["unit"].isna().sum()),
        without_text=int(tickets["text"].isna().sum()),
        flags={flag: int(tickets[flag].sum()) for flag in FLAGS},
    )


def hotspot(
    rising: Rising,
    tickets: pd.DataFrame,
    periods: Sequence[Period],
    incidents: Sequence[Incident],
    phrases: Sequence[Phrase],
    policy: Policy,
) -> Hotspot:
    """A rising cell with what stands behind it and what to do about it.

    Args:
        rising: the cell.
        tickets: of the time.
        periods: of the time.
        incidents: among them.
        phrases: new ones of all leaves.
        policy: causes and measures.

    Returns:
        The hotspot; names and measures are empty for a leaf that the policy no longer has.
    """
    mine = _tickets_of(rising, tickets, periods)
    within = [(one.id, len(mine & set(one.ticket_ids))) for one in incidents]
    leaf = policy.taxonomy.leaf(rising.leaf) if rising.leaf in policy.taxonomy else None
    entry = policy.measures.leaves.get(rising.leaf)
    return Hotspot(
        rising=rising,
        leaf_name=leaf.name if leaf else rising.leaf,
        matters=len(mine) - sum(number - 1 for _, number in within if number),
        incidents=tuple(name for name, number in within if number),
        phrases=tuple(one.text for one in phrases if one.leaf == rising.leaf)[:_PHRASES_SHOWN],
        causes=tuple(policy.taxonomy.causes[code] for code in leaf.causes) if leaf else (),
        measures=entry.measures if entry else (),
        section=entry.section if entry else "",
    )


def _tickets_of(rising: Rising, tickets: pd.DataFrame, periods: Sequence[Period]) -> set[str]:
    """Those of the cell that lie within the time asked for."""
    period = next(one for one in periods if one.label == rising.period)
    by: By = "week" if (period.until - period.since).days == 7 else "month"
    first = starts_before(period.until, by, rising.span)[0]
    at = tickets["accepted_at"]
    mine = (tickets["category"] == rising.leaf) & (at >= midnight(first)) & (at < midnight(period.until))
    if rising.unit is not None:
        mine &= tickets["unit"] == rising.unit
    return set(tickets["ticket_id"][mine])


def notes(
    tickets: pd.DataFrame, daily: pd.DataFrame, periods: Sequence[Period], tested: int, options: Options
) -> tuple[str, ...]:
    """Sentences that must be shown with the figures.

    Args:
        tickets: of the time.
        daily: counts with the past.
        periods: of the time.
        tested: how many cells were.
        options: the smallest cell, the false-discovery rate.

    Returns:
        In Chinese; only those that apply.
    """
    word = _BY[options.by]
    unfinished = [one.label for one in periods if not one.complete]
    first = daily["day"].min().date() if not daily.empty else None
    placeless, textless = int(tickets["unit"].isna().sum()), int(tickets["text"].isna().sum())
    found = [f"少于 {options.smallest} 件的格子只列件数,不算占比、环比、同比和万户投诉率,也不检验。"]
    if unfinished:
        found.append(f"未满的{word}不比较、不检验:{'、'.join(unfinished)}。")
    if tested:
        found.append(
            f"上升检验:{tested} 个格子(类别×单位,及各类别全口径)与各自的基线比;基线计入星期、节假日、季节和以往水平,"
            f"被判上升的格子中预计至多 {options.false_discovery:.0%} 是偶然。"
        )
    elif periods and periods[0].since - (first or periods[0].since) < timedelta(days=365):
        found.append(f"没有可检验的{word}:历史数据不足,或时间段内没有完整的{word};只列件数。")
    if first and periods and first > begin(periods[0].since - timedelta(days=365), options.by):
        found.append(f"数据自 {first} 起,不足一年:没有同比,基线不含季节。")
    if placeless:
        found.append(f"{placeless} 件没有填单位,只计入总数和类别,不计入各单位。")
    if textless:
        found.append(f"{textless} 件没有正文(已按保存期限或申请删除),照常计数,不参与事件与新词的识别。")
    if len(tickets) > options.texts_most:
        found.append(f"事件与新词只读最近 {options.texts_most} 件的正文。")
    return tuple(found)
