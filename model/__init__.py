"""What a triage is: tickets, taxonomy, rules, classifiers, decisions. No web, no database, no torch."""
