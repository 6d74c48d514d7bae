"""The recall family: names that other scanners call dangerous, by every route to them, in every container."""
