"""TF-IDF of words, word pairs and character n-grams, looked up as numbers instead of strings.

Columns and values are those of two scikit-learn `TfidfVectorizer`s; an n-gram is one integer and found by binary
search over whole batches, which takes a fifth of the time and a tenth of the memory of dictionaries of strings.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import TfidfVectorizer

from model.features import Features
from model.text import OPEN

Numbers = NDArray[np.int64]
_CHUNK = 1000  # texts turned into rows at a time: bounds memory
_BITS = 21  # a code point has at most 21 bits


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
        self._pairs = _table([((self._word[a] << 32) | self._word[b], column) for (a, b), column in pairs])
        self._grams = _table([(_code(gram), column) for column, gram in enumerate(characters, len(words))])

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
        characters.fit([f.characters.text for f in prepared])
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
            Start and end in `prepared.characters.text`, and the column.
        """
        starts = np.array(prepared.word_starts, np.int64)
        ends = starts + np.array([len(word) for word in prepared.words], np.int64)
        ids = self._ids([prepared])
        pairs = _find(self._pairs, (ids[:-1] << 32) | ids[1:], (ids[:-1] >= 0) & (ids[1:] >= 0))
        found = [(starts, ends, ids), (starts[:-1], ends[1:], pairs)]
        codes = _codes(prepared.characters.text)
        for length in range(1, self.longest + 1):
            column = self._of_length(codes, np.zeros(len(codes), np.int64), length)
            at = np.arange(len(column))
            found.append((at, at + length, column))
        start, end, column = (np.concatenate(part) for part in zip(*found, strict=True))
        known = column >= 0
        return start[known], end[known], column[known]

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
        matrix.data = (np.log(matrix.data) + 1) * self.idf[matrix.indices]
        row = np.repeat(np.arange(shape[0]), np.diff(matrix.indptr))
        view = row * 2 + (matrix.indices >= len(self.words))  # words and characters have a length each
        length = np.sqrt(np.bincount(view, matrix.data**2, minlength=2 * shape[0]))
        matrix.data /= length[view]
        return matrix

    def _word_columns(self, prepared: Sequence[Features]) -> list[tuple[Numbers, Numbers]]:
        ids = self._ids(prepared)
        row = np.repeat(np.arange(len(prepared)), [len(f.words) for f in prepared])
        usable = (ids[:-1] >= 0) & (ids[1:] >= 0) & (row[:-1] == row[1:])
        return [(row, ids), (row[:-1], _find(self._pairs, (ids[:-1] << 32) | ids[1:], usable))]

    def _character_columns(self, prepared: Sequence[Features]) -> list[tuple[Numbers, Numbers]]:
        codes = _codes("".join(f.characters.text for f in prepared))
        row = np.repeat(np.arange(len(prepared)), [len(f.characters.text) for f in prepared])
        lengths = range(1, self.longest + 1)
        return [(row[: max(0, len(row) - n + 1)], self._of_length(codes, row, n)) for n in lengths]

    def _ids(self, prepared: Sequence[Features]) -> Numbers:
        words = chain.from_iterable(f.words for f in prepared)
        return np.fromiter((self._word.get(word, -1) for word in words), np.int64)

    def _of_length(self, codes: Numbers, row: Numbers, length: int) -> Numbers:
        """Column of the n-gram that begins at each character, -1 where unknown or across two texts."""
        count = max(0, len(codes) - length + 1)
        joined = codes[:count]
        for offset in range(1, length):
            joined = (joined << _BITS) | codes[offset : offset + count]
        return _find(self._grams, joined, row[:count] == row[length - 1 : length - 1 + count])


def _table(pairs: list[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    """Codes in order, each with its column; one impossible code, so that a search always ends inside."""
    ordered = [*sorted(pairs), (np.iinfo(np.int64).max, -1)]
    return np.array([code for code, _ in ordered], np.int64), np.array([column for _, column in ordered], np.int64)


def _find(table: tuple[Numbers, Numbers], codes: Numbers, usable: NDArray[np.bool_]) -> Numbers:
    place = np.searchsorted(table[0], codes)
    return np.where((table[0][place] == codes) & usable, table[1][place], -1)


def _codes(text: str) -> Numbers:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)


def _code(gram: str) -> int:
    code = 0
    for character in gram:
        code = (code << _BITS) | ord(character)
    return code
