"""The web console of an office: its own process, which talks to the service over HTTP only."""
