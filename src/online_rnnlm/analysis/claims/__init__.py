"""The paper's five claims and two more, the rows that test them, and the verdicts."""
