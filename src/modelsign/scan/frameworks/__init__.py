"""What the formats of one framework share: their graphs, layers, operators and headers."""
