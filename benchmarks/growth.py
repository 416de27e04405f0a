"""How cost grows: with text length, batch, cores, stored rows and training tickets; and where the time goes.

`python benchmarks/growth.py [--bundle artifacts/champion] [--quick] [--write docs/growth.md]` writes the page and a picture beside
it. Each point is measured in a process of its own (`benchmarks/growth_point.py`), so that memory is that point's alone, and beside
the peer that anybody would write (jieba words, TF-IDF, calibrated LinearSVC; leaves only). Training tickets: `benchmark_segmented`
where `TRIAGE_BENCH_DATA` holds it, else skipped with a word.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from growth_words import is_there
from page import publish

from model.fonts import use_chinese_font

HERE = Path(__file__).parent
_LENGTHS = (50, 150, 500, 2_000, 8_000, 20_000)
_BATCHES = (1, 4, 16, 64, 256, 1024)
_CORES = (1, 2)
_STORED = (1_000, 10_000, 100_000)
_TRAINED = (500, 1_000, 2_000, 4_000, 7_000)
_NAMES = {"cascade": "级联", "linear": "线性与规则", "peer": "结巴+TF-IDF+SVC(只判小类)"}
_STAGES = {"length": (50, 2_000), "batch": (1, 256), "stored": (100_000,), "trained": (7_000,)}
_TITLES = {
    "length": "characters of a text",
    "batch": "tickets in a batch",
    "cores": "cores",
    "stored": "tickets stored before",
    "trained": "training tickets (benchmark_segmented, words)",
}
_NEXT = {  # said after reading the stages; mend it when they change
    "length": "- Next: of cascade the encoder's matrix products in 8 bits, which grow with the windows of a text. They are ONNX Runtime's; "
    "only fewer layers or fewer tickets that need it make them less (docs/cascade.md). Of linear, rules and masking: moved so far by running "
    "expressions around their needles only, and by cutting words with rjieba instead of jieba.",
    "batch": "- Next: of one ticket at a time, what NumPy and SciPy cost for each call on arrays of one row. It goes away with batches, "
    "which the service makes of all that wait. Moved so far: n-grams are looked up as numbers, not as strings.",
    "cores": "- Next: memory, not time: processes share nothing but the mapped arrays of a bundle (counted here in each), the rest is Python's "
    "and the libraries' own. Moved so far: under load each inference keeps to one core, where threads spun on each other's (docs/load.md).",
    "stored": "- Next: the prediction, not the store: what is stored hardly counts, and the queue's first page comes from an index. Moved so "
    "far: one transaction for all that wait. The peer's intake costs a commit and a prediction of one for each ticket.",
    "trained": "- Next: counting n-grams, in time and memory. It is scikit-learn's, and fitting on all samples takes half of its bound "
    "(docs/retrain.md), so it stays.",
}
Points = dict[str, dict[int, dict[str, Any]]]  # who → size → what was measured


def main() -> None:
    """Measure all curves, draw them, print a page, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("artifacts/champion"))
    parser.add_argument("--quick", action="store_true", help="smallest and middle sizes only, to see that it runs")
    parser.add_argument("--write", type=Path, help="Markdown file; the picture gets the same name with .svg")
    arguments = parser.parse_args()
    few = 2 if arguments.quick else None
    ways = ("cascade", "linear", "peer") if (arguments.bundle / "encoder.onnx").exists() else ("linear", "peer")
    curves: dict[str, Points] = {
        "length": {way: _curve("length", way, _LENGTHS[:few], arguments.bundle) for way in ways},
        "batch": {way: _curve("batch", way, _BATCHES[:few], arguments.bundle) for way in ways},
        "cores": {way: _curve("cores", way, _usable(_CORES), arguments.bundle) for way in ways},
        "stored": {way: _curve("stored", way, _STORED[:few], arguments.bundle) for way in ("linear", "peer")},
    }
    if is_there():
        curves["trained"] = {
            way: _curve("trained", way, _TRAINED[:few], arguments.bundle) for way in ("linear", "peer")
        }
    else:
        print("没有 TRIAGE_BENCH_DATA/benchmark_segmented.csv.gz:不测训练量曲线", file=sys.stderr)
    stages = {
        (what, way, size): _point(f"{what} stages", way, size, arguments.bundle)
        for what, sizes in _STAGES.items()
        for way in curves.get(what, ())
        if way != "peer"
        for size in sizes
    }
    if arguments.write:
        _draw(curves, arguments.write.with_suffix(".svg"))
    publish(_page(curves, stages), arguments.write)


def _curve(what: str, way: str, sizes: tuple[int, ...], bundle: Path) -> dict[int, dict[str, Any]]:
    return {size: _point(what, way, size, bundle) for size in sizes}


def _point(what: str, way: str, size: int, bundle: Path) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "growth_point.py"), what, way, str(size), str(bundle)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode:
        raise SystemExit(f"{' '.join(command[1:])}: {told.stderr[-2000:]}")
    point: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    print(what, way, size, point, file=sys.stderr)
    return point


def _usable(cores: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in cores if n <= len(os.sched_getaffinity(0)))


def _page(curves: dict[str, Points], stages: dict[tuple[str, str, int], dict[str, float]]) -> list[str]:
    lines = [
        "# Growth", "",
        "Made by `python benchmarks/growth.py --write docs/growth.md` on 2 cores. Medians; MB is the peak of the process, or of all "
        "processes together. The peer is what anybody would write first (jieba words, TF-IDF, calibrated LinearSVC; for stored tickets one "
        "SQLite table, one ticket a transaction). It does leaves only: no masking, flags, safety, evidence, route, outbox, audit.", "",
        "![curves](growth.svg)", "",
    ]  # fmt: skip
    for what, points in curves.items():
        lines += [f"## By {_TITLES[what]}", "", *_table(what, points), ""]
        lines += [
            f"- Wall time of {way} at {size:,}: {_ordered(shares)}."
            for (curve, way, size), shares in stages.items()
            if curve == what
        ]
        lines += [_NEXT[what], ""]
    return lines


def _table(what: str, points: Points) -> list[str]:
    names = list(next(iter(next(iter(points.values())).values())))
    rows = [
        f"| {size:,} | {way} | {' | '.join(_word(point.get(name)) for name in names)} |"
        for way, sizes in points.items()
        for size, point in sizes.items()
    ]
    return [f"| {_TITLES[what]} | way | {' | '.join(names)} |", "|---|---" + "|---" * len(names) + "|", *rows]


def _ordered(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in sorted(shares.items(), key=lambda pair: -pair[1]))


def _word(value: Any) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _draw(curves: dict[str, Points], path: Path) -> None:
    mpl.use("svg")
    use_chinese_font()
    from matplotlib import pyplot as plt
    from matplotlib.ticker import NullFormatter

    titles = {
        "length": ("每条字数", "条/秒"),
        "batch": ("每批条数", "条/秒"),
        "stored": ("已存工单", "入库 条/秒"),
        "trained": ("训练工单", "训练秒数"),
    }
    shown = [what for what in titles if what in curves]
    colours = dict(zip(_NAMES, ("#0c5c56", "#b5651d", "#777777"), strict=True))
    figure, axes = plt.subplots(1, len(shown), figsize=(3.4 * len(shown), 3.2), layout="constrained")
    for axis, what in zip(axes, shown, strict=True):
        for way, sizes in curves[what].items():
            values = [next(iter(point.values())) for point in sizes.values()]
            axis.plot(list(sizes), values, marker="o", markersize=3, label=_NAMES[way], color=colours[way])
        scale = {"ylim": (0, None)} if what == "stored" else {"yscale": "log"}
        axis.set(xscale="log", **scale, xlabel=titles[what][0], ylabel=titles[what][1])
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.grid(visible=True, which="major", alpha=0.3)
    axes[0].legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
