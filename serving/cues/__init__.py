"""Special-customer cues (线索): a flag raised on a ticket, and how far people have taken it."""
