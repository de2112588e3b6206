"""The paper's five claims: which rows test each, and what the tests say."""
