"""For tests, ours and our users': builders, fakes and runs driven by hand."""
