"""What commands print: tables, sentences and JSON documents. Must not: read or decide anything."""
