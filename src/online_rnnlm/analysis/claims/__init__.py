"""The paper's five claims and a sixth, the rows that test them, and the verdicts."""
