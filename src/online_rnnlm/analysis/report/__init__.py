"""The report: one page with the finding, all tables and figures, and how to make them again."""
