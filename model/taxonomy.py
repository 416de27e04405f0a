"""The ordered, versioned set of leaves, flags and filings that a triage may propose."""

from collections.abc import Iterator
from dataclasses import dataclass

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
