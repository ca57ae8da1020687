"""`python -m llmops_catalog` is the command line."""

import sys

if __name__ == "__main__":
    try:
        from llmops_catalog.cli import console

        console()
    except KeyboardInterrupt:  # while the command was still being loaded
        sys.stderr.write("llmops-catalog: stopped\n")
        sys.exit(130)
