"""Taxonomy, routing, measures, thresholds and rules as data: versioned YAML, checked on load.

Another utility brings its own folder with files of the same names; a file it leaves out is taken from here.
"""

from model.policy.load import BUILT_IN, FILES, Policy, load_policy, own_files

__all__ = ["BUILT_IN", "FILES", "Policy", "load_policy", "own_files"]
