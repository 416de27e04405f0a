"""Chinese letters in pictures: Noto Sans CJK SC (SIL Open Font License), shipped in the package `mplfonts`."""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from model.errors import MissingExtra

_FONT = "NotoSansCJKsc-Regular.otf"


def use_chinese_font() -> str:
    """Let matplotlib draw Chinese.

    Returns:
        The family's name.

    Raises:
        MissingExtra: the package with the font was taken out.
    """
    path = font_file()
    from matplotlib import font_manager, rcParams

    font_manager.fontManager.addfont(str(path))
    family: str = font_manager.FontProperties(fname=str(path)).get_name()
    rcParams["font.family"] = [family]
    rcParams["axes.unicode_minus"] = False
    return family


def font_file() -> Path:
    """Where the font lies.

    Returns:
        An existing file.

    Raises:
        MissingExtra: the package with the font was taken out.
    """
    try:
        found = [file.locate() for file in files("mplfonts") or [] if file.name == _FONT]
    except PackageNotFoundError as error:
        raise MissingExtra("没有中文字体:请按 constraints.txt 重新安装 mplfonts") from error
    if not found:
        raise MissingExtra(f"mplfonts 中没有 {_FONT};请按 constraints.txt 重新安装")
    return Path(str(found[0]))
