"""TF-IDF of words, word pairs and character n-grams, looked up as numbers instead of strings.

Columns and values are those of two scikit-learn `TfidfVectorizer`s; an n-gram is one integer and found by binary
search over whole batches, which takes a fifth of the time and a tenth of the memory of dictionaries of strings.
"""

import sys
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import TfidfVectorizer

from model.features import Features
from model.text import OPEN

Numbers = NDArray[np.int64]
_CHUNK = 1000  # texts turned into rows at a time: bounds memory
_CODE_POINTS = sys.maxunicode + 1


class Grams:
    """Vocabulary and weights of both views of a text.

    Args:
        words: words and pairs of words (joined by a blank) in the order of their columns.
        characters: character n-grams of length 1 to 3 in the order of their columns, behind the words.
        idf: inverse document frequency of each column.
    """

    def __init__(self, words: Sequence[str], characters: Sequence[str], idf: NDArray[np.float64]) -> None:
        self.words, self.characters, self.idf = tuple(words), tuple(characters), np.asarray(idf, np.float64)
        self.longest = max(map(len, characters), default=1)
        self._word = {word: column for column, word in enumerate(words) if " " not in word}
        pairs = ((word.split(" "), column) for column, word in enumerate(words) if " " in word)
        self._pairs = _table((_joined(self._word[a], self._word[b]), column) for (a, b), column in pairs)
        column = {gram: number for number, gram in enumerate(characters, len(words))}
        self._letter = np.full(_CODE_POINTS, -1, np.int32)  # column of each single character
        self._letter[[ord(gram) for gram in column if len(gram) == 1]] = [n for gram, n in column.items() if len(gram) == 1]
        self._longer = [
            _table((_joined(column[gram[:-1]], column[gram[-1]]), n) for gram, n in column.items() if len(gram) == length)
            for length in range(2, self.longest + 1)
        ]

    @classmethod
    def learn(cls, prepared: Sequence[Features], max_ngram: int) -> Self:
        """Count what stands in at least two texts.

        Args:
            prepared: n texts.
            max_ngram: longest character n-gram, 1 to 3.

        Returns:
            Vocabulary and weights.
        """
        words = TfidfVectorizer(
            token_pattern=r"\S+",  # noqa: S106 - a pattern, no password
            lowercase=False, ngram_range=(1, 2), min_df=2,
        )  # fmt: skip
        characters = TfidfVectorizer(analyzer="char", lowercase=False, ngram_range=(1, max_ngram), min_df=2)
        words.fit([" ".join(f.words) for f in prepared])
        characters.fit([f.characters for f in prepared])
        names = words.get_feature_names_out().tolist(), characters.get_feature_names_out().tolist()
        return cls(*names, np.concatenate([words.idf_, characters.idf_]))

    @property
    def terms(self) -> list[str]:
        """What each column stands for."""
        return [*self.words, *self.characters]

    def rows(self, prepared: Sequence[Features]) -> csr_matrix:
        """TF-IDF rows: sublinear counts times idf; words and characters each of length 1.

        Args:
            prepared: n texts.

        Returns:
            Sparse array of shape (n, n_words + n_characters).
        """
        parts = [self._rows(prepared[start : start + _CHUNK]) for start in range(0, len(prepared), _CHUNK)]
        return parts[0] if len(parts) == 1 else vstack(parts, format="csr")

    def occurrences(self, prepared: Features) -> tuple[Numbers, Numbers, Numbers]:
        """Where each n-gram of the vocabulary stands in one text.

        Args:
            prepared: the text.

        Returns:
            Start and end in `prepared.characters`, and the column.
        """
        starts = np.array(prepared.word_starts, np.int64)
        ends = starts + np.array([len(word) for word in prepared.words], np.int64)
        ids = self._ids([prepared])
        found = [(starts, ends, ids), (starts[:-1], ends[1:], _find(self._pairs, ids[:-1], ids[1:], ids[1:] >= 0))]
        for length, column in enumerate(self._by_length([prepared])[1], 1):
            at = np.arange(len(column))
            found.append((at, at + length, column))
        start, end, column = (np.concatenate(part) for part in zip(*found, strict=True))
        known = column >= 0
        return start[known], end[known], column[known]

    def shares(self, column: Numbers) -> NDArray[np.float64]:
        """What each occurrence has of its column's TF-IDF value, which is shared evenly.

        Args:
            column: columns of all occurrences in one text.

        Returns:
            As many values; those of one column sum to the value in `rows`.
        """
        known, place, count = np.unique(column, return_inverse=True, return_counts=True)
        value = self._weighed(np.zeros(len(known), np.int64), known, count.astype(np.float64))
        return np.asarray((value / count)[place])

    def unknown_share(self, prepared: Features) -> float:
        """How many of a text's words were never seen in training.

        Args:
            prepared: the text.

        Returns:
            A share in [0, 1]; placeholders do not count; 1 where there is no word.
        """
        words = [word for word in prepared.words if word[0] != OPEN]
        return 1.0 - sum(map(self._word.__contains__, words)) / len(words) if words else 1.0

    def state(self) -> dict[str, Any]:
        """What was learned, in lists and arrays.

        Returns:
            The arguments of the constructor.
        """
        return {"words": list(self.words), "characters": list(self.characters), "idf": self.idf}

    def _rows(self, prepared: Sequence[Features]) -> csr_matrix:
        found = [*self._word_columns(prepared), *self._character_columns(prepared)]
        row, column = (np.concatenate(part) for part in zip(*found, strict=True))
        shape = (len(prepared), len(self.idf))
        known = column >= 0
        ones = np.ones(int(known.sum()))
        matrix = csr_matrix((ones, (row[known], column[known])), shape=shape)  # sums what repeats
        matrix.data = self._weighed(np.repeat(np.arange(shape[0]), np.diff(matrix.indptr)), matrix.indices, matrix.data)
        return matrix

    def _weighed(self, row: Numbers, column: Numbers, count: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sublinear count times idf, by the length of the row; words and characters have a length each."""
        value = (np.log(count) + 1) * self.idf[column]
        view = row * 2 + (column >= len(self.words))
        return np.asarray(value / np.sqrt(np.bincount(view, value**2))[view])

    def _word_columns(self, prepared: Sequence[Features]) -> list[tuple[Numbers, Numbers]]:
        ids = self._ids(prepared)
        row = np.repeat(np.arange(len(prepared)), [len(f.words) for f in prepared])
        return [(row, ids), (row[:-1], _find(self._pairs, ids[:-1], ids[1:], row[:-1] == row[1:]))]

    def _character_columns(self, prepared: Sequence[Features]) -> list[tuple[Numbers, Numbers]]:
        row, columns = self._by_length(prepared)
        return [(row[: len(column)], column) for column in columns]

    def _ids(self, prepared: Sequence[Features]) -> Numbers:
        words = chain.from_iterable(f.words for f in prepared)
        return np.fromiter(map(self._word.get, words, repeat(-1)), np.int64)

    def _by_length(self, prepared: Sequence[Features]) -> tuple[Numbers, list[Numbers]]:
        """Row of each character; for length 1, 2 … the column of the n-gram that begins there, -1 where unknown.

        What stands in two texts begins with something that does, so each length is looked up from the one before.
        """
        text = "".join(f.characters for f in prepared)
        row = np.repeat(np.arange(len(prepared)), [len(f.characters) for f in prepared])
        letter = self._letter[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)].astype(np.int64)
        columns = [letter]
        for length, table in enumerate(self._longer, 2):
            last = letter[length - 1 :]
            columns.append(_find(table, columns[-1][: len(last)], last, row[: len(last)] == row[length - 1 :]))
        return row, columns


def _joined(first: Numbers | int, second: Numbers | int) -> Any:
    return (first << 32) | second


def _table(pairs: Iterable[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    """Codes in order, each with its column; one impossible code, so that a search always ends inside."""
    ordered = [*sorted(pairs), (np.iinfo(np.int64).max, -1)]
    return np.array([code for code, _ in ordered], np.int64), np.array([column for _, column in ordered], np.int64)


def _find(table: tuple[Numbers, Numbers], first: Numbers, second: Numbers, usable: NDArray[np.bool_]) -> Numbers:
    """Column of each pair of columns; -1 where either or the pair is unknown or not to be used."""
    found = np.full(len(first), -1, np.int64)
    at = np.flatnonzero((first >= 0) & (second >= 0) & usable)
    codes = _joined(first[at], second[at])
    place = np.searchsorted(table[0], codes)
    found[at] = np.where(table[0][place] == codes, table[1][place], -1)
    return found
