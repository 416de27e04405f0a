"""The picture of docs/hotspots.md: how many surges are found, and at what price in false alarms."""

from collections.abc import Mapping
from pathlib import Path

from hotspot_proof import FACTORS, SIZES, Score

from triage.fonts import use_chinese_font

_COLOURS = {"engine": "#00695c", "change": "#ef6c00", "z": "#8e8e8e", "z6": "#5e35b1"}
_NAMES = {"engine": "本引擎", "change": "环比超过 30%", "z": "z 值大于 2", "z6": "z 值大于 6"}
_SIZE_NAMES = ("每周不到 2 件", "每周 2–8 件", "每周 8 件以上")


def draw(scores: Mapping[str, Score], methods: Mapping[str, str], path: Path) -> None:
    """Draw and save.

    Args:
        scores: of all worlds, by method.
        methods: in the order of the legend.
        path: an SVG.
    """
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "hotspots"  # the same picture, the same file
    use_chinese_font()
    from matplotlib import pyplot

    figure, (left, *panels) = pyplot.subplots(
        1, 4, figsize=(12, 3.6), layout="constrained", width_ratios=(1.1, 1, 1, 1)
    )
    rates = [scores[name].rate for name in methods]
    bars = left.bar(range(len(methods)), rates, color=[_COLOURS[name] for name in methods])
    left.bar_label(bars, [f"{rate:.0%}" for rate in rates])
    left.axhline(0.1, color="black", linewidth=0.8, linestyle="--")
    left.set_xticks(
        range(len(methods)), [_NAMES[name].replace("超过", "\n超过").replace("大于", "\n大于") for name in methods]
    )
    left.set_title("报警中误报的比例(虚线 10%)")
    left.set_ylim(0, 1.1)
    for panel, size, name in zip(panels, SIZES, _SIZE_NAMES, strict=True):
        for method in methods:
            found = [scores[method].power(factor, size)[0] for factor in FACTORS]
            panel.plot(range(len(FACTORS)), found, "o-", color=_COLOURS[method], label=_NAMES[method])
        panel.set_xticks(range(len(FACTORS)), [f"{factor:g} 倍" for factor in FACTORS])
        panel.set_ylim(-0.03, 1.05)
        panel.set_title(f"发现率:{name}")
    panels[0].legend(loc="upper left", fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
