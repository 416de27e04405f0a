"""Chinese letters in pictures, for notebooks and benchmarks; see `model.fonts`."""

from model.fonts import font_file, use_chinese_font

__all__ = ["font_file", "use_chinese_font"]
