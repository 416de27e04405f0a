"""Known events (已知事件): planned work, upgrades, storms and campaigns that a person entered beforehand."""
