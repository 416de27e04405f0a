import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from model.features import Features, features
from model.grams import Grams
from model.policy import BUILT_IN
from model.segmenter import Segmenter


@pytest.fixture(scope="module")
def prepared(labelled) -> list[Features]:  # type: ignore[no-untyped-def]
    segmenter = Segmenter(BUILT_IN / "dictionary.txt")
    return [features(ticket.text, segmenter) for ticket in labelled[::10]]


@pytest.fixture(scope="module")
def grams(prepared: list[Features]) -> Grams:
    return Grams.learn(prepared[::2], 3)


def test_columns_and_values_are_those_of_scikit_learn(grams: Grams, prepared: list[Features]) -> None:
    settings = {"lowercase": False, "min_df": 2, "sublinear_tf": True}
    words = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), **settings)  # noqa: S106 - a pattern
    characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), **settings)
    words.fit(" ".join(f.words) for f in prepared[::2])
    characters.fit(f.characters for f in prepared[::2])
    assert grams.terms == [*words.get_feature_names_out(), *characters.get_feature_names_out()]
    ours = grams.rows(prepared).toarray()
    theirs = words.transform(" ".join(f.words) for f in prepared).toarray()
    np.testing.assert_allclose(ours[:, : theirs.shape[1]], theirs, atol=1e-9)
    np.testing.assert_allclose(
        ours[:, theirs.shape[1] :], characters.transform(f.characters for f in prepared).toarray(), atol=1e-9
    )


def test_a_row_does_not_depend_on_its_batch(grams: Grams, prepared: list[Features]) -> None:
    together = grams.rows(prepared[:50])
    for number in (0, 7, 49):
        assert (together[number] != grams.rows([prepared[number]])).nnz == 0


def test_every_occurrence_is_where_it_says(grams: Grams, prepared: list[Features]) -> None:
    for text in prepared[:20]:
        for start, end, column in zip(*grams.occurrences(text), strict=True):
            found = text.characters[start:end]
            words = column < len(grams.words)
            assert (
                "".join(grams.terms[column].split()) == "".join(found.split())
                if words
                else grams.terms[column] == found
            )


@pytest.mark.parametrize("text", ["", " ", "a", "\ud800", "\U0010ffff停", "龘"])
def test_a_text_with_nothing_known_is_a_row_too(grams: Grams, text: str) -> None:
    odd = features(text, Segmenter(BUILT_IN / "dictionary.txt"))
    assert grams.rows([odd]).shape == (1, len(grams.terms))
    assert np.isfinite(grams.rows([odd]).toarray()).all()
    assert len(grams.occurrences(odd)[0]) >= 0


def test_unknown_words_are_counted_and_placeholders_are_not(grams: Grams) -> None:
    segmenter = Segmenter(BUILT_IN / "dictionary.txt")
    assert grams.unknown_share(features("停电⟦电话⟧", segmenter)) == 0
    assert grams.unknown_share(features("龘靐", segmenter)) == 1
    assert grams.unknown_share(features("", segmenter)) == 1


def test_every_character_knows_where_it_came_from(prepared: list[Features]) -> None:
    for text in prepared:
        assert len(text.origin) == len(text.characters)
        for character, place in zip(text.characters, text.origin, strict=True):
            found = text.text[place].lower()
            assert character == found or character in "0 "
