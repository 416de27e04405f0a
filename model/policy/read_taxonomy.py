"""taxonomy.yaml as a checked `Taxonomy`, with what became of former leaves."""

from model.errors import PolicyError
from model.policy.schema import ChangeEntry, TaxonomyFile
from model.taxonomy import FLAGS, Change, Filing, Group, Leaf, Taxonomy

_FEWEST = 2  # leaves that a classifier can tell apart


def taxonomy_from(file: TaxonomyFile) -> Taxonomy:
    """Check what stands in the file against itself.

    Args:
        file: of the right shape.

    Returns:
        The taxonomy.

    Raises:
        PolicyError: a group, cause or leaf is not defined, stands twice, or changed into nothing.
    """
    _check_leaves(file)
    taxonomy = Taxonomy(
        version=file.version,
        guideline=file.guideline,
        groups=tuple(Group(g.code, g.name) for g in file.groups),
        leaves=tuple(Leaf(x.code, x.name, x.group, x.causes) for x in file.leaves),
        flags={str(flag): name for flag, name in file.flags.items()},
        filings=tuple(Filing(f.code, f.name, f.goes_with) for f in file.filings),
        causes=dict(file.causes),
        changes=tuple(_change(entry) for entry in file.changes),
    )
    _check_changes(taxonomy)
    return taxonomy


def _check_leaves(file: TaxonomyFile) -> None:
    groups = {group.code for group in file.groups}
    codes = [leaf.code for leaf in file.leaves]
    for leaf in file.leaves:
        if leaf.group not in groups:
            raise PolicyError(f"taxonomy.yaml:leaves → {leaf.code}:大类 {leaf.group!r} 未定义,请加入 groups")
        unknown = set(leaf.causes) - set(file.causes)
        if unknown:
            raise PolicyError(f"taxonomy.yaml:leaves → {leaf.code}:成因 {sorted(unknown)} 未定义,请加入 causes")
    if set(file.flags) != set(FLAGS):
        raise PolicyError(f"taxonomy.yaml:flags:四种线索 {'、'.join(FLAGS)} 都要写上名称,不能增减")
    if len(codes) < _FEWEST:
        raise PolicyError(f"taxonomy.yaml:leaves:至少要有 {_FEWEST} 个小类,现有 {len(codes)} 个")
    if len(set(codes)) != len(codes):
        raise PolicyError("taxonomy.yaml:leaves:类别代码重复,请删除重复项")


def _change(entry: ChangeEntry) -> Change:
    parts: dict[str, tuple[str, ...]] = {old: (new,) for old, new in entry.renamed.items()}
    moves = [(old, (new,)) for new, olds in entry.merged.items() for old in olds] + list(entry.split.items())
    for old, became in moves:
        if old in parts:
            raise PolicyError(f"taxonomy.yaml:changes → {entry.version}:{old} 变更了两次;每个旧类别只写一处")
        parts[old] = became
    return Change(entry.version, entry.effective_from, parts)


def _check_changes(taxonomy: Taxonomy) -> None:
    """A former code never comes back with another meaning, and every one leads to leaves of today."""
    starts = [change.effective_from for change in taxonomy.changes]
    if starts != sorted(starts):
        raise PolicyError("taxonomy.yaml:changes:请按 effective_from 由早到晚排列")
    for change in taxonomy.changes:
        for old, became in change.parts.items():
            place = f"taxonomy.yaml:changes → {change.version} → {old}"
            if old in taxonomy and became != (old,):
                raise PolicyError(f"{place}:旧代码仍在 leaves 中;改名、拆分后请启用新代码,旧代码不再使用")
            lost = [code for code in became if not taxonomy.today(code)]
            if lost:
                raise PolicyError(f"{place}:{'、'.join(lost)} 不在 leaves 中,以后也没有变更;请补上或改正代码")
