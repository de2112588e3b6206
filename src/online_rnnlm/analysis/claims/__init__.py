"""The paper's five claims, the rows that test them, and the verdicts."""
