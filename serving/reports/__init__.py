"""Reports for people: monthly report, morning briefing, worklists, handover; as HTML, Word, Excel or text."""
