"""What is known of one recording: analysed, corrected, judged by a person, handed on (docs/adr/0033)."""
