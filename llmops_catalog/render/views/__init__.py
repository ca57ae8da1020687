"""WHAT readers see: every decision about pages, made on plain frozen pieces; templates only lay them out."""
