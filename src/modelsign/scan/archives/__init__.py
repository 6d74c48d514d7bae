"""What archives do when they are unpacked, and what the readers of them share."""
