"""`triage demo`: what `make demo` prints."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

_HEADINGS = ("工单", "类别", "置信度", "线索", "班组", "时限", "处理方式")
_DECISIONS = {"auto": "自动派单", "review": "人工复核", "fallback": "规则兜底"}


def demo(
    data: Annotated[Path, typer.Option(help="样例目录")] = Path("data/samples"),
    bundle: Annotated[Path | None, typer.Option(help="模型包目录")] = None,
    count: Annotated[int, typer.Option(min=1, max=200, help="条数")] = 12,
) -> None:
    """Triage a dozen tickets that no classifier has seen, most urgent first."""
    from datetime import datetime

    from model.document import read
    from model.routing import rank
    from model.ticket import CHINA, Ticket
    from training.dataset import read_labelled
    from triage.compose import build_pipeline
    from triage.settings import Settings

    pipeline = build_pipeline(Settings(), bundle)
    labelled = read_labelled([data], pipeline.policy.taxonomy).split("test")
    chosen = labelled[:: max(1, len(labelled) // count)][:count]
    now = datetime.now(CHINA).replace(second=0, microsecond=0)
    predictions = pipeline.predict([Ticket(t.text, ticket_id=t.id, accepted_at=now) for t in chosen])
    texts = {t.id: read(Ticket(t.text)).text for t in chosen}  # masked
    table = Table(title=f"{pipeline.level} · {len(predictions)} 条样例工单,按紧急程度", show_lines=True)
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for prediction in sorted(predictions, key=rank):
        table.add_row(*_row(prediction.to_dict(), texts[str(prediction.ticket_id)], pipeline.policy.taxonomy.flags))
    Console(width=None if Console().is_terminal else 140).print(table)
    typer.echo(
        "下一步:.venv/bin/triage predict --text '电表冒烟了' | 启动服务 make serve | 评测 .venv/bin/triage evaluate --data data/samples"
    )


def _row(prediction: dict[str, Any], text: str, names: dict[str, str]) -> tuple[str, ...]:
    category, route = prediction["category"], prediction["route"]
    cues = [names[flag] for flag, cue in prediction["flags"].items() if cue["raised"]]
    cues = (
        (["安全"] if prediction["safety"]["raised"] else [])
        + cues
        + (["升级风险"] if prediction["escalation"]["raised"] else [])
    )
    due = (route["arrive_by"] or route["due_at"] or "")[5:16].replace("T", " ")
    short = " ".join(text.split())[:46] + ("…" if len(text) > 46 else "")
    decision = _DECISIONS[prediction["decision"]]
    return (
        f"{prediction['ticket_id']} {short}",
        category["name"],
        f"{category['confidence']:.2f}",
        "、".join(cues) or "-",
        route["desk"],
        due,
        decision,
    )
