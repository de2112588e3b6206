"""The figures of an experiment, each as SVG and PNG, and the colours that they share.

`config/catalogue.py` lists the functions that draw them. The colours of lines and marks are from
Okabe and Ito's set, which colour-blind people can tell apart.
"""

STATIC, ONLINE, RIVAL = "#0072b2", "#d55e00", "#009e73"
INK, MUTED, GRID, SURFACE = "#1f2328", "#6b7280", "#d9dce1", "#ffffff"
DARK = {
    **{INK: "#e6e8eb", MUTED: "#a0a8b3", GRID: "#363c45", SURFACE: "#16191d"},
    **{STATIC: "#56b4e9", ONLINE: "#f0a25a", RIVAL: "#3fc79a"},
}
"""The colours that an SVG has in their place where a reader prefers a dark page."""
