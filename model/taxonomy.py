"""The ordered, versioned set of leaves, flags and filings that a triage may propose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from model.errors import UnknownLeaf

MISC = "other.misc"
FLAGS = ("malicious", "unreasonable", "theft", "arrears")
THEFT_ROLES = ("admits", "denies", "found", "reports_other")


@dataclass(frozen=True, slots=True)
class Group:
    """A parent of leaves (大类), e.g. `billing` 电费电价类."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """One category (小类). `causes` are codes of the article's section 1."""

    code: str
    name: str
    group: str
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filing:
    """One kind of 重要服务事项报备; `goes_with` is the flag it belongs to, or None."""

    code: str
    name: str
    goes_with: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What became of former leaves: `parts` gives the codes that each of them turned into, several after a split."""

    version: str
    effective_from: date
    parts: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Taxonomy:
    """The categories in force. The order of `leaves` is the order of columns everywhere."""

    version: str
    guideline: str
    groups: tuple[Group, ...]
    leaves: tuple[Leaf, ...]
    flags: dict[str, str]
    filings: tuple[Filing, ...]
    causes: dict[str, str]
    changes: tuple[Change, ...] = ()

    def __iter__(self) -> Iterator[Leaf]:
        return iter(self.leaves)

    def __contains__(self, code: object) -> bool:
        return code in self.codes

    @property
    def codes(self) -> tuple[str, ...]:
        """Leaf codes in column order."""
        return tuple(leaf.code for leaf in self.leaves)

    def leaf(self, code: str) -> Leaf:
        """The leaf of a code.

        Args:
            code: e.g. `billing.charge`.

        Returns:
            The leaf.

        Raises:
            UnknownLeaf: the taxonomy has no such code.
        """
        for leaf in self.leaves:
            if leaf.code == code:
                return leaf
        raise UnknownLeaf(f"类目体系 {self.version} 没有类别 {code!r};可用:{', '.join(self.codes)}")

    def today(self, code: str) -> tuple[str, ...]:
        """What a label given under this or a former taxonomy means today.

        Args:
            code: of a leaf, perhaps a former one.

        Returns:
            One code; several after a split, where a person has to decide; none for a code that was never one.
        """
        found: tuple[str, ...] = (code,)
        for change in self.changes:
            found = tuple(dict.fromkeys(new for old in found for new in change.parts.get(old, (old,))))
        return tuple(code for code in found if code in self)

    def tell_split(self, code: str) -> str:
        """Why a former label cannot be carried over.

        Args:
            code: of a leaf that was split.

        Returns:
            e.g. `小类 other.misc 自 2027.1 起(2027-01-01)拆分为 other.fees(业务收费)、other.rest(其他)`.
        """
        became = "、".join(f"{new}({self.leaf(new).name})" for new in self.today(code))
        when = next((f"自 {c.version} 起({c.effective_from})" for c in self.changes if code in c.parts), "")
        return f"小类 {code} {when}拆分为 {became}"

    def filing(self, code: str) -> Filing:
        """The filing of a code.

        Args:
            code: e.g. `R4_UNREASONABLE`.

        Returns:
            The filing.

        Raises:
            UnknownLeaf: the taxonomy has no such filing.
        """
        for filing in self.filings:
            if filing.code == code:
                return filing
        raise UnknownLeaf(f"没有报备事项 {code!r};可用:{', '.join(f.code for f in self.filings)}")
