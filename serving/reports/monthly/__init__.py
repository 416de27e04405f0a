"""The monthly report 投诉热点分析及管控措施, section by section."""
