"""From finished runs to what people read: tables, figures, claims, similar sentences, report."""
