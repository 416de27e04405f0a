"""Read a policy folder into one checked `Policy`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from model.errors import PolicyError
from model.policy import cue_schema, schema
from model.policy.check_rules import check_dictionary, check_rules
from model.policy.read_taxonomy import taxonomy_from
from model.taxonomy import Taxonomy
from model.yaml_text import NotYaml, parse_yaml

BUILT_IN = Path(__file__).parent
RULE_FILES = ("rules/leaves.yaml", "rules/flags.yaml", "rules/safety.yaml")
LATER_FILES = ("cues.yaml", "events.yaml")  # a bundle made before there were these takes the built-in ones
FILES = (
    "taxonomy.yaml", "routing.yaml", "measures.yaml", "decision.yaml", "dictionary.txt",
    "rules/context.yaml", *RULE_FILES, *LATER_FILES,
)  # fmt: skip
Shape = TypeVar("Shape", bound=schema.Strict)


@dataclass(frozen=True)
class Policy:
    """Everything an office may change without touching code. Built by `load_policy`."""

    folder: Path
    taxonomy: Taxonomy
    routing: schema.RoutingFile
    measures: schema.MeasuresFile
    decision: schema.DecisionFile
    context: schema.ContextFile
    rules: tuple[schema.RuleEntry, ...]
    rules_version: str
    dictionary: Path
    cues: cue_schema.CuesFile
    events: cue_schema.EventsFile


def load_policy(folder: Path | None = None) -> Policy:
    """Read and check a policy folder.

    Args:
        folder: an office's own folder; files it leaves out come from the built-in one. None: the built-in one.

    Returns:
        The policy.

    Raises:
        PolicyError: a file is missing or wrong; the message names file, place and mend.
    """
    folder = folder or BUILT_IN
    if not folder.is_dir():
        raise PolicyError(f"策略目录不存在:{folder};请检查 TRIAGE_POLICY")
    _check_folder(folder)
    taxonomy = taxonomy_from(_read(folder, "taxonomy.yaml", schema.TaxonomyFile))
    rule_files = [_read(folder, name, schema.RulesFile) for name in RULE_FILES]
    policy = Policy(
        folder=folder,
        taxonomy=taxonomy,
        routing=_read(folder, "routing.yaml", schema.RoutingFile),
        measures=_read(folder, "measures.yaml", schema.MeasuresFile),
        decision=_read(folder, "decision.yaml", schema.DecisionFile),
        context=_read(folder, "rules/context.yaml", schema.ContextFile),
        rules=tuple(rule for file in rule_files for rule in file.rules),
        rules_version="+".join(sorted({file.version for file in rule_files})),
        dictionary=find_file(folder, "dictionary.txt"),
        cues=_read(folder, "cues.yaml", cue_schema.CuesFile),
        events=_events_of_today(_read(folder, "events.yaml", cue_schema.EventsFile), taxonomy),
    )
    _check_leaves(policy)
    _check_auto(policy)
    _check_desks(policy)
    check_rules(policy)
    check_dictionary(policy.dictionary)
    _check_cues(policy)
    _check_events(policy)
    return policy


def own_files(folder: Path) -> tuple[str, ...]:
    """Which policy files an office brings itself.

    Args:
        folder: its policy folder.

    Returns:
        Names out of `FILES`; all others are taken from the built-in policy.
    """
    return tuple(name for name in FILES if (folder / name).is_file())


def _check_folder(folder: Path) -> None:
    unknown = sorted(
        p.relative_to(folder).as_posix()
        for p in folder.rglob("*.yaml")
        if p.relative_to(folder).as_posix() not in FILES
    )
    if unknown or not own_files(folder):
        problem = f"不认识 {'、'.join(unknown)}" if unknown else "没有任何策略文件"
        raise PolicyError(f"{folder}:{problem};可用的文件名:{'、'.join(FILES)}")


def find_file(folder: Path, name: str) -> Path:
    """The office's own file, else the built-in one.

    Args:
        folder: the office's policy folder.
        name: a name out of `FILES`.

    Returns:
        An existing path.

    Raises:
        PolicyError: neither place has it.
    """
    for place in (folder / name, BUILT_IN / name):
        if place.is_file():
            return place
    raise PolicyError(f"{folder / name}:没有这个文件;请从 {BUILT_IN} 复制一份")


def _read(folder: Path, name: str, shape: type[Shape]) -> Shape:
    path = find_file(folder, name)
    try:
        data = parse_yaml(path.read_text(encoding="utf-8"))
    except NotYaml as error:
        raise PolicyError(f"{path}:{error}") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}:不是 UTF-8 编码;请另存为 UTF-8") from error
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        lines = [f"{path}:{_place(e['loc'])}:{_mend(e['type'], e['msg'])}" for e in error.errors()[:10]]
        raise PolicyError("\n".join(lines)) from error


def _place(location: tuple[int | str, ...]) -> str:
    return " → ".join(f"第 {part + 1} 项" if isinstance(part, int) else str(part) for part in location) or "全文"


def _mend(kind: str, message: str) -> str:
    known = {
        "missing": "缺少这一项,请补上",
        "extra_forbidden": "没有这个字段,请检查拼写或删除",
        "int_parsing": "应为整数",
        "int_type": "应为整数",
        "float_parsing": "应为数字",
        "string_type": '须为文本;数字请加引号,如 "95598"',
    }
    return known.get(kind, f"取值不对({message}),请改正")


def _check_leaves(policy: Policy) -> None:
    codes = set(policy.taxonomy.codes)
    tables: dict[str, Mapping[str, object]] = {
        "routing.yaml:routes": policy.routing.routes,
        "measures.yaml:leaves": policy.measures.leaves,
        **({"decision.yaml:leaf_prior": policy.decision.leaf_prior} if policy.decision.leaf_prior else {}),
    }
    for place, table in tables.items():
        missing, unknown = codes - set(table), set(table) - codes
        if missing or unknown:
            raise PolicyError(
                f"{place}:缺少 {sorted(missing)},多出 {sorted(unknown)};须与 taxonomy.yaml 的 leaves 一致"
            )


def _check_auto(policy: Policy) -> None:
    chosen = policy.decision.auto_leaves
    unknown = () if chosen == "all" else sorted(set(chosen) - set(policy.taxonomy.codes))
    if unknown:
        raise PolicyError(
            f"{find_file(policy.folder, 'decision.yaml')}:auto_leaves:{unknown} 不是类别代码;"
            f"请写 all,或写列表,可用:{'、'.join(policy.taxonomy.codes)}"
        )


def _check_desks(policy: Policy) -> None:
    routing = policy.routing
    named = {routing.review_desk, routing.safety.desk, routing.safety.person}
    for code, route in routing.routes.items():
        named |= {route.desk, *route.support}
        if route.desk in route.never or set(route.support) & set(route.never):
            raise PolicyError(f"routing.yaml:routes → {code}:never 中的班组又被派单,请改 desk 或 support")
    unknown = named - set(routing.desks)
    if unknown:
        raise PolicyError(
            f"{find_file(policy.folder, 'routing.yaml')}:routes:班组「{'」「'.join(sorted(unknown))}」不在 desks 名单中;请补进 desks 或改正名称"
        )


def _check_cues(policy: Policy) -> None:
    wrong = set(policy.taxonomy.flags) ^ set(policy.cues.flags)
    if wrong:
        raise PolicyError(f"cues.yaml:flags:缺少或多出 {sorted(wrong)};须与 taxonomy.yaml 的 flags 一致")
    if policy.cues.flags["arrears"].confirmable:
        raise PolicyError("cues.yaml:flags → arrears:欠费不确认、不打标签,confirmable 须为 false")
    if not any(item.date == "before_call" for item in policy.cues.flags["malicious"].items):
        raise PolicyError("cues.yaml:flags → malicious:至少要有一项 date: before_call(来电之前的纠纷或处罚)")
    for flag, entry in policy.cues.flags.items():
        if entry.filing is not None and entry.filing not in {filing.code for filing in policy.taxonomy.filings}:
            raise PolicyError(f"cues.yaml:flags → {flag}:报备 {entry.filing!r} 未定义;请检查拼写")


def _events_of_today(file: cue_schema.EventsFile, taxonomy: Taxonomy) -> cue_schema.EventsFile:
    """Former leaves are read as what became of them, so that a change of the taxonomy needs no new file."""
    kinds = {}
    for code, kind in file.kinds.items():
        today = dict.fromkeys(new for leaf in kind.leaves for new in taxonomy.today(leaf) or (leaf,))
        kinds[code] = kind.model_copy(update={"leaves": tuple(today)})
    return file.model_copy(update={"kinds": kinds})


def _check_events(policy: Policy) -> None:
    if "events.yaml" not in own_files(policy.folder):
        return  # an office with leaves of its own may not have written this file yet: what it lacks never matches
    filings = {filing.code for filing in policy.taxonomy.filings}
    for code, kind in policy.events.kinds.items():
        unknown = set(kind.leaves) - set(policy.taxonomy.codes) | ({kind.filing} - {None} - filings)
        if unknown:
            raise PolicyError(f"events.yaml:kinds → {code}:{sorted(map(str, unknown))} 不是类别或报备代码;请检查拼写")
