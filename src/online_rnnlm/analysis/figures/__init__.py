"""The figures of an experiment, each as SVG and PNG, and the colours that they share.

`config/catalogue.py` lists the functions that draw them. The report reads the colours without
loading the library that draws. They are from Okabe and Ito's set, which colour-blind people can
tell apart.
"""

STATIC, ONLINE, RIVAL = "#0072b2", "#d55e00", "#009e73"
INK, MUTED, GRID, SURFACE = "#1f2328", "#6b7280", "#d9dce1", "#ffffff"
PAGE_COLOURS = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--line",
    SURFACE: "--surface",
    STATIC: "--static",
    ONLINE: "--online",
}
"""The CSS variables that replace a drawing's colours in a page with a light and a dark scheme."""
