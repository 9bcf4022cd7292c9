"""Data quality of AWS Glue: only its names, so that scripts that import it say what they lack."""
