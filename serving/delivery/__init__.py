"""Delivery: what stands in the outbox reaches its desk, in order and at least once; clocks that run out are told."""
