"""Pages of the console; each module has `install()`, which registers its pages."""
