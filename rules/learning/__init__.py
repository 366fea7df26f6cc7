"""What is usual: learned from a device's own readings, in constant time and bounded memory a reading."""
