"""How a triage is made: labelled tickets in, bundles and evaluations out. Imports `model`, never `serving`."""
