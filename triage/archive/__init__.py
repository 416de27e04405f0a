"""Archives: many tickets scored by actors on Ray, one finished part at a time."""
