"""What a bundle says, shown and not believed. Never verifies anything."""
