"""What configurations name: classes to construct, code to import, packages to install."""
