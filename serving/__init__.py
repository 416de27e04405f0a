"""How a triage is used: the HTTP service. Imports `model`, never `training`, never torch."""
