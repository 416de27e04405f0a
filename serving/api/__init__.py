"""HTTP interface, version 1."""
