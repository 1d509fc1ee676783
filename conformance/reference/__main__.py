"""`python -m conformance.reference`: the same as `runs-conformance serve`."""

from conformance.reference.command import main

if __name__ == "__main__":
    main()
