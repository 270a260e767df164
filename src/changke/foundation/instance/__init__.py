"""Which installation this is, so that a restored or copied one writes to nobody before somebody says that it may."""
