"""The linear classifier: jieba words and character n-grams, TF-IDF, linear separators, exact word reasons."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import LinearSVC

from model.errors import NotFitted
from model.features import Features, features
from model.grams import Grams
from model.segmenter import Segmenter

Matrix = NDArray[np.float64]


class LinearClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Leaves and cues from words and characters.

    Args:
        dictionary: jieba user dictionary of the trade.
        regularisation: inverse strength `C` of the separators.
        max_ngram: longest character n-gram.
        seed: for the solver's shuffling.

    Attributes:
        classes_: leaf codes, the order of columns.
        cues_: names of the cues (flags, safety, escalation), the order of their columns.
        temperature_: divides decision values before the softmax; 1 until calibrated.
    """

    def __init__(self, dictionary: Path, *, regularisation: float = 0.5, max_ngram: int = 3, seed: int = 0) -> None:
        self.dictionary = dictionary
        self.regularisation = regularisation
        self.max_ngram = max_ngram
        self.seed = seed

    def fit(
        self, texts: Iterable[str], leaves: Sequence[str], cues: Mapping[str, Sequence[bool | None]] | None = None
    ) -> Self:
        """Learn leaves, and one separator for each cue.

        Args:
            texts: n masked texts.
            leaves: n leaf codes.
            cues: n truth values by cue name, None where a ticket does not tell; a cue without both is left out.

        Returns:
            Itself.
        """
        prepared = self.prepare(texts)
        self.grams_ = Grams.learn(prepared, self.max_ngram)
        matrix = self.matrix(prepared)
        leaf = self._separator().fit(matrix, list(leaves))
        separators = {
            name: self._separator().fit(matrix[rows], [truth[row] for row in rows])
            for name, truth in (cues or {}).items()
            if {True, False} <= set(truth)
            for rows in [[row for row, value in enumerate(truth) if value is not None]]
        }
        self.classes_ = leaf.classes_
        self.cues_ = tuple(separators)
        first = [leaf] if len(leaf.coef_) > 1 else [_Turned(leaf), leaf]  # two leaves have one separator
        weights = np.vstack([s.coef_ for s in (*first, *separators.values())])
        self.weights_ = np.ascontiguousarray(weights.T, np.float32)  # half the size of what was learned
        self.intercepts_ = np.concatenate([s.intercept_ for s in (*first, *separators.values())])
        self.temperature_ = 1.0
        return self

    def predict_proba(self, texts: Iterable[str]) -> Matrix:
        """Calibrated confidences.

        Args:
            texts: n masked texts.

        Returns:
            Array of shape (n, n_leaves) in the order of `classes_`; rows sum to 1.
        """
        return self.scores(texts)[0]

    def predict(self, texts: Iterable[str]) -> NDArray[np.str_]:
        """The leaf with the highest confidence.

        Args:
            texts: n masked texts.

        Returns:
            n leaf codes.
        """
        leaves: NDArray[np.str_] = np.asarray(self.classes_)[self.predict_proba(texts).argmax(axis=1)]
        return leaves

    def scores(self, texts: Iterable[str]) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Confidences of leaves and decision values of cues in one pass.

        Args:
            texts: n masked texts.

        Returns:
            Confidences (n, n_leaves), cue decision values (n, n_cues), the share of words never seen in training (n,),
            and the highest decision value of any leaf (n,): low where no leaf claims the text.
        """
        self._check_fitted()
        prepared = self.prepare(texts)
        if not prepared:
            return np.zeros((0, len(self.classes_))), np.zeros((0, len(self.cues_))), np.zeros(0), np.zeros(0)
        matrix = self.matrix(prepared)
        unknown = np.array([self.grams_.unknown_share(f) for f in prepared])
        leaves, cues = self._values(matrix)
        return self.soften(leaves), cues, unknown, leaves.max(axis=1)

    def soften(self, values: Matrix) -> Matrix:
        """Softmax at the calibrated temperature.

        Args:
            values: decision values (n, n_leaves).

        Returns:
            Confidences, rows sum to 1.
        """
        return np.asarray(softmax(values / self.temperature_, axis=1))

    def logits(self, texts: Iterable[str]) -> tuple[Matrix, Matrix]:
        """Raw decision values, for calibration.

        Args:
            texts: n masked texts.

        Returns:
            Leaves (n, n_leaves) and cues (n, n_cues).
        """
        self._check_fitted()
        return self._values(self.matrix(self.prepare(texts)))

    def coefficients(self, target: str) -> Matrix:
        """The separator of a leaf or cue.

        Args:
            target: leaf code or cue name.

        Returns:
            One weight for each column: words first, then characters.
        """
        self._check_fitted()
        return np.asarray(self.weights_[:, [*self.classes_, *self.cues_].index(target)])

    def state(self) -> dict[str, Any]:
        """What was learned, in objects of scikit-learn and numpy only.

        Returns:
            A mapping for joblib, read back by `from_state`.
        """
        self._check_fitted()
        return {
            "grams": self.grams_.state(), "classes": self.classes_, "cues": self.cues_,
            "weights": self.weights_, "intercepts": self.intercepts_,
            "temperature": self.temperature_, "max_ngram": self.max_ngram,
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, Any], dictionary: Path) -> Self:
        """Build a fitted classifier from `state`.

        Args:
            state: as `state()` gave it.
            dictionary: the dictionary it was trained with.

        Returns:
            A classifier ready to predict.
        """
        classifier = cls(dictionary, max_ngram=state["max_ngram"])
        classifier.grams_ = Grams(**state["grams"])
        classifier.classes_, classifier.cues_ = state["classes"], tuple(state["cues"])
        classifier.weights_, classifier.intercepts_ = np.asarray(state["weights"]), state["intercepts"]
        classifier.temperature_ = float(state["temperature"])
        return classifier

    def warm(self) -> None:
        """Load the dictionary now rather than with the first ticket."""
        self.segmenter.warm()

    @property
    def segmenter(self) -> Segmenter:
        """Cuts words, with the dictionary it was trained with."""
        if "_segmenter_" not in self.__dict__:
            self._segmenter_ = Segmenter(self.dictionary)
        return self._segmenter_

    def prepare(self, texts: Iterable[str]) -> list[Features]:
        """Cut and clean texts for the vectorizers.

        Args:
            texts: n masked texts.

        Returns:
            n views.
        """
        return [features(text, self.segmenter) for text in texts]

    def matrix(self, prepared: Sequence[Features]) -> csr_matrix:
        """TF-IDF rows.

        Args:
            prepared: n prepared texts.

        Returns:
            Sparse array of shape (n, n_words + n_characters).
        """
        return self.grams_.rows(prepared)

    def _values(self, matrix: csr_matrix) -> tuple[Matrix, Matrix]:
        """Decision values of leaves (n, n_leaves) and cues (n, n_cues)."""
        ends = matrix.indptr
        values = np.empty((matrix.shape[0], len(self.intercepts_)))
        for row, (start, end) in enumerate(pairwise(ends)):
            weights = self.weights_[matrix.indices[start:end]].astype(np.float64)  # only these rows are read
            values[row] = matrix.data[start:end] @ weights + self.intercepts_
        return values[:, : len(self.classes_)], values[:, len(self.classes_) :]

    def _separator(self) -> LinearSVC:
        return LinearSVC(C=self.regularisation, class_weight="balanced", random_state=self.seed)

    def _check_fitted(self) -> None:
        if not hasattr(self, "weights_"):
            raise NotFitted("分类器尚未训练:请先调用 fit,或用 load_bundle 读取模型包")


class _Turned:
    """A separator seen from its other side."""

    def __init__(self, separator: LinearSVC) -> None:
        self.coef_, self.intercept_ = -separator.coef_, -separator.intercept_
