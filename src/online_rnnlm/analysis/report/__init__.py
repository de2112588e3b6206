"""The report: one page with the finding, all tables and figures, and commands to remake them."""
