"""One file per loader; each ends in one ``LOADER`` descriptor."""
