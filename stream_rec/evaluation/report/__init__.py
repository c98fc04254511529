"""An evaluation as one self-contained page: inline SVG, no outside resources, light and dark."""
