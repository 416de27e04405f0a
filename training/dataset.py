"""Read labelled tickets from JSONL, CSV or XLSX and say, row by row, what must be mended."""

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import InvalidLabels, UnreadableInput
from model.labels import digest, text_hash
from model.privacy import mask
from model.rows import KINDS, Row, read_rows
from model.taxonomy import FLAGS, THEFT_ROLES, Taxonomy
from model.ticket import LabelledTicket, readable

_SPACE = re.compile(r"\s+")
_TRUE, _FALSE = ("true", "1", "yes", "是", "1.0"), ("false", "0", "no", "否", "", "0.0", "none")


@dataclass(frozen=True)
class Dataset:
    """Labelled tickets that passed every check, and the problems of those that did not."""

    tickets: tuple[LabelledTicket, ...]
    problems: tuple[str, ...] = ()

    def split(self, name: str) -> tuple[LabelledTicket, ...]:
        """Tickets of one side.

        Args:
            name: `train`, `dev` or `test`.

        Returns:
            Those of that split, and those that name none.
        """
        return tuple(ticket for ticket in self.tickets if ticket.split in (name, None))

    @property
    def digest(self) -> str:
        """SHA-256 over ids, texts and labels: the name of this data version."""
        return digest(self.tickets)


def read_labelled(
    paths: Sequence[Path],
    taxonomy: Taxonomy,
    *,
    skip_bad_rows: bool = False,
    without: Container[tuple[Path, int]] = (),
) -> Dataset:
    """Read labelled files or folders of them.

    Args:
        paths: files (JSONL, CSV, XLSX …) or folders, whose label files are read in name order.
        taxonomy: the codes allowed.
        skip_bad_rows: leave wrong rows out and list them, instead of refusing everything.
        without: file and number of rows that are told of elsewhere; they are passed over.

    Returns:
        The data set.

    Raises:
        InvalidLabels: some rows are wrong and `skip_bad_rows` is off; nothing is returned.
        UnreadableInput: a path holds no readable label file.
    """
    tickets: list[LabelledTicket] = []
    problems: list[str] = []
    for path in (file for given in paths for file in label_files(given)):
        for row in read_rows(path):
            if (path, row.number) in without:
                continue
            try:
                tickets.append(_labelled(row, path, taxonomy))
            except ValueError as error:
                problems.append(f"{path.name} 第 {row.number} 行:{error}")
    kept, contradictions = _without_contradictions(tickets)
    problems += contradictions
    if problems and not skip_bad_rows:
        shown = "\n".join(problems[:20])
        raise InvalidLabels(f"{len(problems)} 处标注须改正(或加 --skip-bad-rows 跳过):\n{shown}", problems)
    if not kept:
        raise InvalidLabels("没有可用的已标注工单;请检查 --data", problems)
    return Dataset(tuple(kept), tuple(problems))


def label_files(path: Path) -> list[Path]:
    """The label files behind a path.

    Args:
        path: a file, or a folder.

    Returns:
        The file itself, or the folder's JSONL, CSV, TSV and XLSX files in name order.

    Raises:
        UnreadableInput: there is none.
    """
    if not path.exists():
        raise UnreadableInput(f"找不到 {path};请检查 --data")
    if path.is_file():
        return [path]
    wanted = {kind for kind in KINDS if kind not in ("", ".txt", ".log")}
    files = sorted(p for p in path.iterdir() if p.is_file() and p.suffix in wanted)
    if not files:
        raise UnreadableInput(f"{path} 中没有标注文件(.jsonl .csv .xlsx);请检查 --data")
    return files


def _labelled(row: Row, path: Path, taxonomy: Taxonomy) -> LabelledTicket:
    if row.error:
        raise ValueError(str(row.error))
    value: Mapping[str, Any] = row.value if isinstance(row.value, dict) else {}
    text = next((value[k] for k in ("text", "content") if isinstance(value.get(k), str)), "")
    if not text.strip():
        raise ValueError("没有正文 text;请补上")
    category = _leaf(value.get("category"), taxonomy, "category")
    if category is None:
        raise ValueError("没有类别 category;请按标注规范补上")
    also = dict.fromkeys(_leaf(code, taxonomy, "secondary") for code in _list(value.get("secondary")))
    flags = frozenset(_known(_list(value.get("flags")), FLAGS, "flags"))
    return LabelledTicket(
        id=readable(str(value.get("id") or value.get("ticket_id") or f"{path.stem}-{row.number}")),
        text=readable(text),
        category=category,
        secondary=tuple(code for code in also if code is not None and code != category),
        flags=flags,
        theft_role=_code(value.get("theft_role"), THEFT_ROLES, "theft_role"),
        filing=_code(value.get("filing"), tuple(f.code for f in taxonomy.filings), "filing"),
        safety=_truth(value.get("safety"), "safety"),
        escalation=_truth(value.get("escalation"), "escalation"),
        **{key: _text(value.get(key)) for key in ("channel", "author", "voice", "split")},
        extra={key: value[key] for key in ("difficulty", "hard_negative_for", "boundary") if key in value},
    )


def _without_contradictions(tickets: Sequence[LabelledTicket]) -> tuple[list[LabelledTicket], list[str]]:
    """Drop exact doubles; list, and leave out, texts that carry two different labels."""
    by_text: dict[str, LabelledTicket] = {}
    problems: list[str] = []
    wrong: set[str] = set()
    for ticket in tickets:
        first = by_text.setdefault(text_hash(ticket.text), ticket)
        if first is not ticket and _labels(first) != _labels(ticket):
            wrong.add(text_hash(ticket.text))
            problems.append(
                f"{ticket.id} 与 {first.id} 正文相同而标注不同({ticket.category} / {first.category});请改正其一"
            )
    return [ticket for text, ticket in by_text.items() if text not in wrong], problems


def _labels(ticket: LabelledTicket) -> tuple[object, ...]:
    first = (ticket.category, frozenset(ticket.secondary), ticket.flags, ticket.theft_role, ticket.filing)
    return (*first, ticket.safety, ticket.escalation)


def _list(value: object) -> list[str]:
    if value is None or value != value or value == "":
        return []
    parts = value.split("|") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError(f"须为列表或用 | 分隔,收到 {_shown(value)}")
    return [str(part).strip() for part in parts if str(part).strip()]


def _known(codes: list[str], allowed: Sequence[str], field: str) -> list[str]:
    for code in codes:
        _code(code, allowed, field)
    return codes


def _leaf(value: object, taxonomy: Taxonomy, field: str) -> str | None:
    """A leaf of today; a former one is read as what became of it."""
    code = str(value).strip()
    became = taxonomy.today(code)
    if len(became) > 1:
        raise ValueError(f"{field}:{taxonomy.tell_split(code)};请重新标注")
    try:
        return became[0] if became else _code(value, taxonomy.codes, field)
    except ValueError as error:
        raise ValueError(f"{error};以前的代码请写进 taxonomy.yaml 的 changes") from error


def _code(value: object, allowed: Sequence[str], field: str) -> str | None:
    if value is None or value != value or str(value).strip().lower() in ("", "none", "null"):
        return None
    if str(value).strip() not in allowed:
        raise ValueError(f"{field} 的代码 {_shown(value)} 不存在;可用:{', '.join(allowed)}")
    return str(value).strip()


def _truth(value: object, field: str) -> bool:
    word = "" if value is None or value != value else str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"{field} 须为 true 或 false,收到 {_shown(value)}")


def _text(value: object) -> str | None:
    return None if value is None or value != value or value == "" else readable(str(value))


def _shown(value: object) -> str:
    """A wrong cell for a message: masked and short, since cells may have slipped into the wrong column."""
    return repr(mask(str(value)).text[:24])
