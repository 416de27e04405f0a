"""Care for labels: `triage suspects` (what to look at again), `triage choose` (what to label next)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from model.errors import BundleMissing, TriageError, UnreadableInput
from triage.cli.learn_ports import say
from triage.cli.listing import check_kind, write_list
from triage.cli.store import ACTOR
from triage.cli.train import SAMPLES

if TYPE_CHECKING:
    from model.pipeline import Pipeline
    from model.policy import Policy
    from model.taxonomy import Taxonomy
    from model.ticket import LabelledTicket, Ticket
    from training.batch import Batch, BatchRow
    from training.choose import Choice
    from training.suspects import Suspect
    from triage.settings import Settings

_SOME_WRONG = 1
_SHOWN = 20
_SUSPECT_HEADINGS = {
    "rank": "序号", "file": "文件", "row": "行", "id": "编号", "given": "现标", "proposed": "建议看看是不是",
    "confidence": "建议的置信度", "given_confidence": "现标的置信度", "likely": "很可能标错", "why": "为什么", "neighbours": "最相似的他人工单",
    "text": "正文",
}  # fmt: skip
_TO_FILL = ("category", "secondary", "flags", "theft_role", "filing", "safety", "escalation")
_CHOICE_HEADINGS = {
    "rank": "序号", "row": "行", **{name: name for name in ("id", "text", *_TO_FILL)}, "proposed": "分类器认为",
    "confidence": "置信度", "second": "其次", "second_confidence": "其次的置信度", "rules": "规则认为", "why": "为什么选它",
}  # fmt: skip
Output = Annotated[Path | None, typer.Option(help="输出 .jsonl、.csv 或 .xlsx;不给则以 JSONL 写到标准输出")]


def suspects(
    labels: Annotated[list[Path], typer.Option(help="要复查的已标注文件或目录:CSV、XLSX、JSONL,可多次")],
    data: Annotated[list[Path] | None, typer.Option(help="一起学的原有标注,可多次;默认 data/samples(若有)")] = None,
    output: Output = None,
    bundle: Annotated[Path | None, typer.Option(help="没学过的工单由这个模型包判断,其余交叉判断")] = None,
    share: Annotated[float, typer.Option(min=0.0, max=1.0, help="列出最可疑的几成")] = 0.15,
) -> None:
    """Rank labels that a person should look at again; no label is changed. Exit 1: some rows could not be looked at."""
    from training.suspects import find_suspects
    from triage.compose import build_pipeline, build_policy
    from triage.settings import Settings

    check_kind(output)
    settings = Settings()
    pipeline = build_pipeline(settings, bundle) if bundle else None
    policy = pipeline.policy if pipeline else build_policy(settings)
    batch = _batch(labels, policy)
    tickets = batch.tickets
    beside = _beside(data, tickets, policy)
    say(f"复查 {len(tickets)} 条,另有 {len(beside)} 条一起学;每条都由没学过这位作者的分类器判断")
    found = find_suspects(tickets, beside, policy, judged=_judged(tickets, pipeline) if pipeline else None)
    places = {row.ticket.id: row for row in batch.rows}
    count = round(share * len(tickets))
    rows = [
        _suspect_row(rank, one, places[one.ticket.id], policy.taxonomy)
        for rank, one in enumerate(found.suspects[:count], 1)
    ]
    write_list(rows, _SUSPECT_HEADINGS, output)
    told = sum(one.likely for one in found.suspects)
    say(
        f"估计约 {found.errors:.0f} 条标错,{told} 条很可能标错;列出最可疑的 {count} 条{f' → {output}' if output else ''};标注未作任何改动"
    )
    if batch.problems:
        raise typer.Exit(_SOME_WRONG)


def choose(
    n: Annotated[int, typer.Option("--n", min=1, help="选几条")] = 200,
    file: Annotated[str | None, typer.Option("--input", help="未标注工单;不给则从存储中没有人审核过的工单里选")] = None,
    output: Output = None,
    bundle: Annotated[Path | None, typer.Option(help="模型包目录")] = None,
    column: Annotated[str | None, typer.Option(help="正文列名")] = None,
) -> None:
    """Choose what to label next: uncertain, unlike each other, rules and classifier at odds. Exit 1: some rows are errors."""
    from model.manifest import FIT_ONE
    from training.choose import choose as choices
    from training.choose import judge_tickets
    from triage.compose import build_pipeline
    from triage.settings import Settings

    check_kind(output)
    settings = Settings()
    pipeline = build_pipeline(settings, bundle)
    if pipeline.bundle is None:
        raise BundleMissing(f"选工单要有模型包;{FIT_ONE}")
    numbered, wrong = _from_file(file, column) if file else (_from_store(settings), 0)
    new = _unlearned([ticket for _, ticket in numbered], pipeline)
    rows_of = {id(ticket): number for number, ticket in numbered}
    judged = judge_tickets(new, pipeline.policy, pipeline.bundle)
    classifier = pipeline.bundle.classifier
    chosen = choices(judged, classifier.matrix(classifier.prepare(judged.texts)), n) if new else ()
    rows = [
        _choice_row(rank, one, rows_of[id(one.ticket)], pipeline.policy.taxonomy) for rank, one in enumerate(chosen, 1)
    ]
    write_list(rows, _CHOICE_HEADINGS, output)
    learned = f",已学过的 {len(numbered) - len(new)} 条除外" if len(new) < len(numbered) else ""
    say(
        f"从 {len(new)} 条中选出 {len(rows)} 条{learned}{f' → {output};填好 category 等列后交给 triage retrain --labels' if output else ''}"
    )
    if wrong:
        say(f"其中 {wrong} 行不是工单,未参加挑选")
        raise typer.Exit(_SOME_WRONG)


def _batch(labels: Sequence[Path], policy: "Policy") -> "Batch":
    from training.batch import Known, read_batch
    from training.dataset import label_files

    batch = read_batch([file for given in labels for file in label_files(given)], policy.taxonomy, Known((), ()))
    for problem in batch.problems[:_SHOWN]:
        say(f"未复查:{problem}")
    if len(batch.problems) > _SHOWN:
        say(f"未复查的共 {len(batch.problems)} 行")
    return batch


def _beside(
    data: list[Path] | None, asked: "Sequence[LabelledTicket]", policy: "Policy"
) -> "tuple[LabelledTicket, ...]":
    """What is learned from beside the labels in question; without `--data` the samples, if they are there and readable."""
    from model.labels import text_hash
    from training.dataset import read_labelled

    try:
        dataset = read_labelled(data or [SAMPLES], policy.taxonomy, skip_bad_rows=not data)
    except TriageError:
        if data:
            raise
        return ()
    taken = {text_hash(ticket.text) for ticket in asked}
    return tuple(ticket for ticket in dataset.split("train") if text_hash(ticket.text) not in taken)


def _judged(tickets: "Sequence[LabelledTicket]", pipeline: "Pipeline") -> dict[int, dict[str, float]]:
    """Confidences of a bundle for the rows that it has not learned from."""
    from model.ticket import Ticket
    from training.choose import judge_tickets
    from training.seen import learned_rows

    assert pipeline.bundle  # noqa: S101 - a bundle that was named is there, or an error was raised
    known = learned_rows(pipeline, [ticket.text for ticket in tickets])
    rows = [row for row in range(len(tickets)) if row not in known]
    judged = judge_tickets([Ticket(tickets[row].text) for row in rows], pipeline.policy, pipeline.bundle)
    say(f"{len(rows)} 条由 {pipeline.bundle.id} 判断,它学过的 {len(known)} 条交叉判断")
    return {
        row: dict(zip(judged.codes, proba, strict=True)) for row, proba in zip(rows, judged.proba.tolist(), strict=True)
    }


def _suspect_row(rank: int, one: "Suspect", place: "BatchRow", taxonomy: "Taxonomy") -> dict[str, Any]:
    return {
        "rank": rank, "file": place.file.name, "row": place.number, "id": one.ticket.id, "given": one.ticket.category,
        "proposed": one.proposed, "confidence": round(one.confidence, 3), "given_confidence": round(one.given_confidence, 3),
        "likely": one.likely, "why": one.why(taxonomy),
        "neighbours": [f"{near.id} {near.category} {near.similarity:.2f}" for near in one.near], "text": one.text,
    }  # fmt: skip


def _choice_row(rank: int, one: "Choice", row: int | None, taxonomy: "Taxonomy") -> dict[str, Any]:
    return {
        "rank": rank, "row": row, "id": one.ticket.ticket_id, "text": one.text, **dict.fromkeys(_TO_FILL),
        "proposed": one.first[0], "confidence": round(one.first[1], 3), "second": one.second[0],
        "second_confidence": round(one.second[1], 3), "rules": one.ruled, "why": one.why(taxonomy),
    }  # fmt: skip


def _from_file(file: str, column: str | None) -> "tuple[list[tuple[int | None, Ticket]], int]":
    from model.errors import InvalidTicket
    from model.rows import read_rows
    from model.ticket import ticket_from

    found: list[tuple[int | None, Ticket]] = []
    wrong = 0
    for row in read_rows(file, column):
        try:
            if row.error:
                raise row.error
            found.append((row.number, ticket_from(row.value)))
        except InvalidTicket:
            wrong += 1
    return found, wrong


def _from_store(settings: "Settings") -> "list[tuple[int | None, Ticket]]":
    from serving.store.unreviewed import unreviewed
    from triage.cli.learn_ports import office_store
    from triage.compose import china_now

    database = office_store(settings)
    if database is None:
        raise UnreadableInput("这里没有存储,无从挑选;请用 --input 给出未标注工单的文件,或设置 TRIAGE_DATABASE_URL")
    try:
        return [(None, ticket) for ticket in unreviewed(database, actor=ACTOR, now=china_now())]
    finally:
        database.close()


def _unlearned(tickets: "Sequence[Ticket]", pipeline: "Pipeline") -> "list[Ticket]":
    from training.seen import learned_rows

    known = learned_rows(pipeline, [ticket.content for ticket in tickets])
    return [ticket for row, ticket in enumerate(tickets) if row not in known]
