"""Lets ``python examples/demo`` tell the story."""

from run import main

main()
