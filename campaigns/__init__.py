"""What takes longer than a test suite may: campaigns that reach the full numbers, and the record of their results."""
