"""Tables, figures, claims, evidence and the report, all made from finished runs."""
