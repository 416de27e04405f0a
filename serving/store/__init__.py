"""The store: tickets, what was predicted and decided, and what must still be delivered."""
