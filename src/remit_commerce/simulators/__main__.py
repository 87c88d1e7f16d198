"""``python -m remit_commerce.simulators --data-dir DIR``: see `remit_commerce.simulators.process`."""

from remit_commerce.simulators.process import main

if __name__ == "__main__":
    main()
