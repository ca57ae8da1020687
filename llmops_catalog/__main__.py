"""`python -m llmops_catalog` is the command line."""

from llmops_catalog.cli import main

if __name__ == "__main__":
    main()
