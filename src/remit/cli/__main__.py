"""``python -m remit.cli``: the command line without the installed script."""

from remit.cli.app import main

main()
