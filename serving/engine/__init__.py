"""Answering under load: micro-batches, a time budget for each request, and bundles swapped while running."""
