"""Teams as companies."""
