"""Drift for people: lines for a terminal, one offline HTML page, or JSON."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from model.errors import UnreadableInput
from model.taxonomy import Taxonomy
from training.drift import CHANGED, FEW
from training.evaluated import Table

_NAMES = {
    "length": "正文长度(中位数,字)", "unknown": "生词占比(平均)", "confidence": "置信度(平均)",
    "abstained": "送审占比(系统没有把握)", "overridden": "改判占比(人看过的)", "domain": "整体用语(能否分清两期,AUC)",
}  # fmt: skip
_CAUSES = {
    "length": "渠道或记录方式可能变了",
    "unknown": "出现了模型没见过的说法,可考虑标注一批后 triage retrain",
    "confidence": "模型对现在的工单把握不同了,先看占比变化的小类",
    "abstained": "需人看的工单多少会随之变化",
    "overridden": "人与系统的分歧变了,先用 triage shadow 看是哪些小类",
}
OUTCOMES = {CHANGED: "有变化", "same": "未见变化", FEW: "样本不足"}
_WORDS_SHOWN = 8


@dataclass(frozen=True)
class AboutDrift:
    """What a page tells of its comparison: the names of both sides, when it was made, and what has to be said."""

    now: str
    before: str
    made: date
    notes: Sequence[str] = ()


def told(report: Table, taxonomy: Taxonomy) -> list[str]:
    """What changed, in Chinese.

    Args:
        report: of `training.drift.drift_report`.
        taxonomy: names of leaves.

    Returns:
        Sentences without a text of a ticket; words stand alone.
    """
    n, m, fewest = report["n"], report["m"], report["options"]["fewest"]
    if not report["enough"]:
        return [f"样本不足:本期 {n} 条、对照期 {m} 条,每期至少要 {fewest} 条才能判断"]
    changed = [figure for figure in report["figures"] if figure["outcome"] == CHANGED]
    few = [figure for figure in report["figures"] if figure["outcome"] == FEW]
    lines = [f"本期 {n} 条,对照期 {m} 条:{f'{len(changed)} 项有变化' if changed else '未见变化'}"]
    lines += [f"{figure_name(f['name'], taxonomy)} {_change(f)}{_cause(f['name'])}" for f in changed]
    lines += [
        _words(word, report["words"][key], n, m)
        for key, word in (("more", "多了"), ("fewer", "少了"))
        if report["words"][key]
    ]
    lines += [_guess(changed, taxonomy)] if changed else []
    lines += [f"{figure_name(f['name'], taxonomy)}:样本不足({f['n']} 与 {f['m']} 条)" for f in few]
    return [line for line in lines if line]


def figure_name(figure: str, taxonomy: Taxonomy) -> str:
    """A figure's Chinese name.

    Args:
        figure: e.g. `leaf:billing.charge`.
        taxonomy: names of leaves.

    Returns:
        e.g. `小类「电费」占比`.
    """
    kind, _, code = figure.partition(":")
    return f"小类「{taxonomy.leaf(code).name}」占比" if kind == "leaf" else _NAMES[figure]


def value_of(figure: Table, key: str) -> str:
    """A figure's value as people read it.

    Args:
        figure: of the report.
        key: `now` or `before`.

    Returns:
        A percentage for shares, else a number; — where there is none.
    """
    value = figure[key]
    if value is None:
        return "—"
    if figure["name"] == "length":
        return f"{value:.0f}"
    return f"{value:.2f}" if figure["name"] in ("confidence", "domain") else f"{value:.1%}"


def write_drift(report: Table, about: AboutDrift, taxonomy: Taxonomy, path: Path) -> None:
    """Write .html or .json.

    Args:
        report: of `training.drift.drift_report`.
        about: the comparison.
        taxonomy: names of leaves.
        path: its ending tells the kind; replaced if it is there.

    Raises:
        UnreadableInput: another ending.
    """
    kind = path.suffix.lower()
    if kind not in (".html", ".json"):
        raise UnreadableInput(f"不认识输出文件的类型:{path};请用 .html 或 .json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(report, about, taxonomy) if kind == ".html" else as_json(report, about, taxonomy), "utf-8")


def as_json(report: Table, about: AboutDrift, taxonomy: Taxonomy) -> str:
    """The comparison for programs.

    Args:
        report: of `training.drift.drift_report`.
        about: the comparison.
        taxonomy: names of leaves.

    Returns:
        The report, with `now`, `before`, `made`, `notes` and `told`, what changed in Chinese.
    """
    sides = {"now": about.now, "before": about.before, "made": about.made.isoformat(), "notes": list(about.notes)}
    return json.dumps({**report, **sides, "told": told(report, taxonomy)}, ensure_ascii=False, indent=1)


def page(report: Table, about: AboutDrift, taxonomy: Taxonomy) -> str:
    """The comparison as one HTML page that loads nothing.

    Args:
        report: of `training.drift.drift_report`.
        about: the comparison.
        taxonomy: names of leaves.

    Returns:
        HTML.
    """
    environment = Environment(
        loader=PackageLoader("training", "templates"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    name: Callable[[str], str] = lambda figure: figure_name(figure, taxonomy)  # noqa: E731 - for the template
    return environment.get_template("drift.html").render(
        report=report, about=about, told=told(report, taxonomy), name=name, value=value_of, outcomes=OUTCOMES
    )


def _change(figure: Table) -> str:
    """From what to what; the rank figures may move while their middle stays."""
    more = figure["effect"] > 0
    if figure["name"] == "domain":
        return f"{figure['now']:.2f}(0.5 为分不清),说法整体变了"
    return f"{'升' if more else '降'}:{value_of(figure, 'before')} → {value_of(figure, 'now')}(q={figure['q']:.2g})"


def _cause(name: str) -> str:
    return f";{_CAUSES[name]}" if name in _CAUSES else ""


def _words(word: str, found: Sequence[Table], n: int, m: int) -> str:
    shown = "、".join(f"{w['word']}({w['now']}/{n} ↔ {w['before']}/{m})" for w in found[:_WORDS_SHOWN])
    return f"{word}的词:{shown}"


def _guess(changed: Sequence[Table], taxonomy: Taxonomy) -> str:
    """The leaf that grew most: what a person should look at first."""
    grown = [f for f in changed if f["name"].startswith("leaf:") and f["effect"] > 0]
    if not grown:
        return ""
    most = max(grown, key=lambda figure: figure["effect"])["name"].partition(":")[2]
    return f"先看:「{taxonomy.leaf(most).name}」({most})的工单多了;若有活动、停电或系统升级,请登记为已知事件"
