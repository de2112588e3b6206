"""The testing of trained runs and of rivals."""
