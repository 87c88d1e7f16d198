"""Plan formats: text in, definition out."""
