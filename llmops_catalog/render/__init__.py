"""WHAT readers see: pages, JSON and feeds made of a trusted catalog, and the site MkDocs makes of them. Builds offline.

Import `tree` (render_site, render_plain) or `build` (build_site, serve_site); importing this package alone loads nothing.
"""
