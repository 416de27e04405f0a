"""Taxonomy, routing, measures, thresholds, rules, cues and events as data: versioned YAML, checked on load.

Another utility brings its own folder with files of the same names; a file it leaves out is taken from here.
"""

from model.policy.load import BUILT_IN, FILES, LATER_FILES, Policy, load_policy, own_files

__all__ = ["BUILT_IN", "FILES", "LATER_FILES", "Policy", "load_policy", "own_files"]
