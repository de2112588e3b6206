"""Tables, figures, claims, similar sentences and the report, all made from finished runs."""
