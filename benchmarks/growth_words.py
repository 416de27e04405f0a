"""The public benchmark whose texts come as words, for the curve of training tickets."""

import os
from pathlib import Path

_FILE = "benchmark_segmented.csv.gz"


def is_there() -> bool:
    """Whether `TRIAGE_BENCH_DATA` holds it."""
    folder = os.environ.get("TRIAGE_BENCH_DATA")
    return bool(folder) and (Path(str(folder)) / _FILE).is_file()


def words_and_labels(size: int) -> tuple[list[str], list[str], list[str], list[str]]:
    """Training texts and labels, so many, shuffled; texts and labels of the test part, all."""
    import pandas as pd

    frame = pd.read_csv(Path(os.environ["TRIAGE_BENCH_DATA"]) / _FILE)
    train = frame[frame["split"] == "train"].sample(frac=1, random_state=0)[:size]
    test = frame[frame["split"] == "test"]
    return list(train["words"]), list(train["label"]), list(test["words"]), list(test["label"])
